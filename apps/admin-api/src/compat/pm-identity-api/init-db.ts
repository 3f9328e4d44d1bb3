/** The first company, unit, position and administrator, at once. */
import { findUser } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { type App, IdentityUser, messageResponses, presentIdentityUser } from '@signet/http'
import { problem, type TenantId, type UserId } from '@signet/kernel'
import { type Static, type TObject, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import {
  assertMaySetUp,
  BootstrapInput,
  bootstrapInstallation,
  describeSetupCaller,
  furnishCompany,
  isInitialised,
} from '../../modules/bootstrap/index.ts'
import { findOrgUnit, NewOrgUnit } from '../../modules/org-units/index.ts'
import { findPosition, NewPosition } from '../../modules/positions/index.ts'
import { findTenant } from '../../modules/tenants/index.ts'
import { looseMembers, withoutNulls } from './bodies.ts'
import { CompanyBody, profileOf } from './companies-body.ts'
import { CompanyView, presentCompany } from './companies-view.ts'
import { presentPosition, presentUnit, PositionView, UnitView } from './structure-view.ts'

const tags = ['pm-identity-api']
const config = { access: 'public' } as const

const { first_name, last_name, ...credentials } = BootstrapInput.properties.user.properties
const { description: unitDescription, name: unitName } = NewOrgUnit.properties
const { description: positionDescription, level, title } = NewPosition.properties

const optional = <M extends TObject>(schema: M) => Type.Optional(Type.Union([schema, Type.Null()]))

/** What is missing as a whole is said in one sentence, so that no member is required here. */
const InitDb = Type.Object({
  company: optional(CompanyBody),
  organization_unit: optional(Type.Object(looseMembers({ name: unitName, description: unitDescription }))),
  position: optional(Type.Object(looseMembers({ title, description: positionDescription, level }))),
  user: optional(Type.Object({ ...credentials, ...looseMembers({ first_name, last_name }) })),
})

const Initialised = Type.Object({
  company: CompanyView,
  organization_unit: UnitView,
  position: PositionView,
  user: IdentityUser,
})

export function serveInitDb(scope: App, deps: Deps): void {
  scope.get(
    '/init-db',
    {
      config,
      schema: {
        tags,
        operationId: 'readInitDb',
        summary: 'Is there a company?',
        description: 'Instead: GET /admin/v1/bootstrap.',
        response: { 200: Type.Object({ initialized: Type.Boolean() }), ...messageResponses(503) },
      },
    },
    async () => ({ initialized: await isInitialised(deps) }),
  )

  scope.post(
    '/init-db',
    {
      config,
      // Before the body is read: a stranger is told nothing about it.
      onRequest: async request => {
        if (await isInitialised(deps)) throw problem('already-bootstrapped')
        assertMaySetUp(deps, describeSetupCaller(request))
      },
      schema: {
        tags,
        operationId: 'initDb',
        summary: 'Create the first company and its administrator',
        description:
          'Once, from this machine itself or with `Authorization: Bearer <SETUP_TOKEN>`. Without `organization_unit` and `position` both get usual names. Instead: POST /admin/v1/bootstrap.',
        body: InitDb,
        response: { 201: Initialised, ...messageResponses(400, 401, 403, 503) },
      },
    },
    async (request, reply) => reply.code(201).send(await initialise(deps, request.body, request)),
  )
}

/** @throws Problem `invalid-input`, and those of the bootstrap */
async function initialise(
  deps: Deps,
  { company, organization_unit, position, user }: Static<typeof InitDb>,
  { id, ip }: { readonly id: string; readonly ip: string },
): Promise<Static<typeof Initialised>> {
  if (!company || !user) throw problem('invalid-input', "'company' and 'user' data are required.")
  const { email, password, ...names } = user
  const person = { email, password, ...withoutNulls(names) }
  const made = await bootstrapInstallation(deps, { company: { name: company.name }, user: person }, { id, ip })
  const companyId = made.company.id as TenantId
  const userId = made.user.id as UserId
  const furniture = {
    companyId,
    userId,
    unit: {
      name: organization_unit?.name ?? 'default organization',
      description: organization_unit?.description ?? '',
    },
    position: {
      title: position?.title ?? 'Administrator',
      description: position?.description ?? '',
      level: position?.level ?? null,
    },
    profile: withoutNulls(profileOf(company)),
  }
  const { unitId, positionId } = await furnishCompany(deps, furniture, { id, ip })
  const rows = await inTenant(deps.db, companyId, async tx => ({
    company: presentCompany(await findTenant(tx)),
    organization_unit: presentUnit(await findOrgUnit(tx, unitId)),
    position: presentPosition(await findPosition(tx, positionId)),
  }))
  const row = await inTenant(deps.db, made.platform.id as TenantId, tx => findUser(tx, userId))
  return { ...rows, user: presentIdentityUser(row, { companyId, positionId, lastSignInAt: null }) }
}
