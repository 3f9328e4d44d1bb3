import { IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'

const Text = nullable(Type.String())
const Count = Type.Integer({ minimum: 0 })

const Brand = Type.Object({ id: IdText, name: Type.String(), logo_url: Text, primary_color: Text })

const Client = Type.Object({
  user_id: IdText,
  email: Text,
  username: Text,
  name: Text,
  first_name: Text,
  last_name: Text,
  status: Type.Enum(['active', 'suspended']),
  last_sign_in_at: nullable(Moment),
  assigned_at: Moment,
})

const Activity = Type.Object({
  id: IdText,
  at: Moment,
  action: Type.String(),
  actor_id: nullable(IdText),
  target_type: Text,
  target_id: Text,
})

const Service = Type.Union([
  Type.Object({ status: Type.Literal('ok'), data: Type.Record(Type.String(), Type.Unknown()) }),
  Type.Object({ status: Type.Literal('unavailable') }),
])

const at = '2026-01-05T09:00:00.000Z'
const ids = ['0198a0c0-0000-7000-8000-000000000001', '0198a0c0-0000-7000-8000-000000000002']

export const DashboardView = Type.Object(
  {
    brand: Type.Union([Brand, Type.Null()], { description: 'That the advisor carries' }),
    counts: Type.Object({
      clients: Count,
      active: Count,
      suspended: Count,
      invited: Type.Integer({ minimum: 0, description: 'Invitations that nobody has redeemed yet' }),
      open_client_tokens: Count,
    }),
    clients: Type.Object({
      items: Type.Array(Client, { description: 'The fifty who were assigned last' }),
      total: Count,
    }),
    recent_activity: Type.Array(Activity, {
      description: 'The last twenty events of the advisor and of their clients, within thirty days',
    }),
    services: Type.Record(Type.String(), Service, { description: 'By the name in each `ENG_<NAME>_URL`' }),
  },
  {
    examples: [
      {
        brand: { id: ids[0], name: 'Harbour Advice', logo_url: null, primary_color: '#0a7cff' },
        counts: { clients: 1, active: 1, suspended: 0, invited: 2, open_client_tokens: 0 },
        clients: {
          items: [
            {
              user_id: ids[1],
              email: 'ada@example.com',
              username: null,
              name: 'Ada Lovelace',
              first_name: null,
              last_name: null,
              status: 'active',
              last_sign_in_at: at,
              assigned_at: at,
            },
          ],
          total: 1,
        },
        recent_activity: [
          { id: ids[0], at, action: 'session.opened', actor_id: ids[1], target_type: 'session', target_id: ids[0] },
        ],
        services: { billing: { status: 'ok', data: { balance: 12 } }, lifecycle: { status: 'unavailable' } },
      },
    ],
  },
)
export type DashboardView = Static<typeof DashboardView>
