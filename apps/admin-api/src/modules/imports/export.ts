import type { User } from '@signet/accounts'
import { authorize } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { listUsers } from '../users/index.ts'
import { importPolicy } from './policy.ts'
import { findStandings, type Standing } from './repo.ts'
import type { ExportedLine, ExportQuery } from './schema.ts'

const peopleAtOnce = 500

interface ExportedPage {
  readonly lines: readonly ExportedLine[]
  readonly next: string | null
}

/** The people of this tenant as an import reads them: texts of one or more lines, a page each. @throws Problem `forbidden` */
export async function* exportPeople(deps: Deps, caller: Caller, query: ExportQuery): AsyncGenerator<string> {
  let next: string | null | undefined
  while (next !== null) {
    const page = await readPage(deps, caller, query, next)
    yield page.lines.map(line => `${JSON.stringify(line)}\n`).join('')
    next = page.next
  }
}

/** A transaction a page: however long the reader takes, nothing waits for them. */
function readPage(deps: Deps, caller: Caller, query: ExportQuery, cursor: string | undefined): Promise<ExportedPage> {
  return actAs(deps, caller, 'users:list', async (tx, actor) => {
    authorize(importPolicy, 'users:list', actor, { id: tx.tenantId })
    const page = await listUsers(tx, deps.keys.cursor, {
      ...query,
      limit: peopleAtOnce,
      sort: 'created_at',
      count: false,
      ...(cursor === undefined ? {} : { cursor }),
    })
    const standings = await findStandings(
      tx,
      page.items.map(({ id }) => id),
    )
    const standingOf = new Map(standings.map(each => [each.id, each]))
    // What roles a single person has, `users:read` tells.
    const areRolesTold = actor.permissions.has('users:read')
    const lines = page.items.map(user => describeUser(user, standingOf.get(user.id), areRolesTold))
    return { lines, next: page.next_cursor }
  })
}

/** Never a hash: a file that travels is no place for one. What an import would take for granted is left out. */
function describeUser(user: User, standing: Standing | undefined, areRolesTold: boolean): ExportedLine {
  const roles = areRolesTold ? (standing?.roles ?? []) : []
  const members = {
    external_id: user.id,
    email: user.email,
    email_verified: user.emailVerifiedAt === null ? null : true,
    username: user.username,
    phone: user.phone,
    phone_verified: user.phoneVerifiedAt === null ? null : true,
    name: user.name,
    first_name: user.firstName,
    last_name: user.lastName,
    language: user.language,
    kind: user.kind === 'user' ? null : user.kind,
    client: standing?.client ?? null,
    status: user.status === 'active' ? null : user.status,
    roles: roles.length === 0 ? null : roles,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as ExportedLine
}
