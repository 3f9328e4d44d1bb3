import { recordAudit } from '@signet/accounts'
import type { ServiceRoute, TenantTx } from '@signet/db'
import { authorize, type Page, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller, PersonOrService, ServiceCaller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs, actAsEither } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { servicePolicy } from './policy.ts'
import { assertFree, type CatalogueChange, changeCatalogue, readRoutes } from './registration.ts'
import * as repo from './repo.ts'
import { isServiceName, type NewService, type Registration, type ServiceChange, type ServiceQuery } from './schema.ts'

export type Service = repo.Service
export type RegisteredService = Service & { readonly permissions: CatalogueChange }

/** What these services work with beside the rest. */
export interface RegistryDeps extends Deps {
  /** What the administration itself answers: nobody else may. */
  readonly ownRoutes: () => readonly ServiceRoute[]
}

export function listServices(deps: Deps, caller: Caller, query: ServiceQuery): Promise<Page<Service>> {
  return actAs(deps, caller, 'services:list', async (tx, actor) => {
    authorize(servicePolicy, 'services:list', actor, null)
    return repo.listServices(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `service-not-found` */
export function readService(deps: Deps, caller: Caller | ServiceCaller, ref: string): Promise<Service> {
  return actAsEither(deps, caller, 'services:read', async (tx, who) => {
    const service = await repo.findService(tx, ref)
    return authorize(servicePolicy, 'services:read', who, service).resource
  })
}

/** @throws Problem `service-name-taken`, `gateway-route-taken`, `permission-code-taken`, `invalid-api-description` */
export function createService<Body>(
  deps: RegistryDeps,
  caller: Caller,
  input: NewService,
  once: Once<RegisteredService, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'services:create', (tx, actor) =>
    makeOnce(tx, actor, once, () => insert(deps, tx, actor, input)),
  )
}

/**
 * The whole registration. A key of the settings, and whoever may create services, makes one that is not there yet.
 * @param isTried only say what it would do
 * @throws Problem `service-not-found`, `version-mismatch`, and as `createService`
 */
export async function registerService(
  deps: RegistryDeps,
  caller: Caller | ServiceCaller,
  ref: string,
  input: Registration,
  ifMatch: string | undefined,
  isTried: boolean,
): Promise<{ readonly service: RegisteredService; readonly isNew: boolean }> {
  const work = actAsEither(deps, caller, 'services:modify', async (tx, who) => {
    await repo.lockRegistry(tx)
    const before = await repo.lockService(tx, ref)
    // To a service there is no other one, whether it is there or not.
    if (before === undefined && 'service' in who && who.service !== null) throw problem('service-not-found')
    if (before === undefined && ifMatch !== undefined) throw problem('version-mismatch')
    const { description = '', base_url: baseUrl, health_url: healthUrl = null } = input
    const service =
      before === undefined
        ? await insert(deps, tx, who, { ...input, name: nameOf(ref) })
        : await change(deps, tx, who, before, ifMatch, { description, baseUrl, healthUrl }, input)
    const answer = { service, isNew: before === undefined }
    if (isTried) throw new Tried(answer)
    return answer
  })
  return work.catch((error: unknown) => {
    if (error instanceof Tried) return error.answer
    throw error
  })
}

/** Carries what would have been out of the transaction, which it ends without a trace. */
class Tried extends Error {
  override readonly name = 'Tried'
  readonly answer: { readonly service: RegisteredService; readonly isNew: boolean }
  constructor(answer: Tried['answer']) {
    super('Only tried')
    this.answer = answer
  }
}

/** @throws Problem `service-not-found`, `version-mismatch`, and as `createService` */
export function changeService(
  deps: RegistryDeps,
  caller: Caller,
  ref: string,
  { description, base_url: baseUrl, health_url: healthUrl, routes, openapi }: ServiceChange,
  ifMatch: string | undefined,
): Promise<RegisteredService> {
  return actAs(deps, caller, 'services:modify', async (tx, actor) => {
    await repo.lockRegistry(tx)
    const before = await repo.lockService(tx, ref)
    if (before === undefined) throw problem('service-not-found')
    const fields = {
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(healthUrl === undefined ? {} : { healthUrl }),
    }
    const saidRoutes = routes === undefined && openapi === undefined ? undefined : { routes, openapi }
    return change(deps, tx, actor, before, ifMatch, fields, saidRoutes)
  })
}

/** @throws Problem `service-not-found`, `service-in-use` naming its permissions, `version-mismatch` */
export function removeService(deps: Deps, caller: Caller, ref: string, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'services:delete', async (tx, actor) => {
    await repo.lockRegistry(tx)
    const before = await repo.lockService(tx, ref)
    if (before === undefined) throw problem('service-not-found')
    const grant = authorize(servicePolicy, 'services:delete', actor, before)
    assertVersion(ifMatch, before)
    const codes = await repo.findPermissionsOf(tx, before.name)
    const used = await repo.findUsedPermissions(tx, codes)
    if (used.length > 0) throw problem('service-in-use', `Roles hold or policies name ${used.join(', ')}.`)
    await repo.deletePermissions(tx, grant, codes)
    await repo.deleteService(tx, grant)
    const removed = { added: [], removed: codes.toSorted(), kept: [] }
    await audit(tx, actor, 'service.deleted', before, { before: describe(before), after: { permissions: removed } })
  })
}

async function insert(
  deps: RegistryDeps,
  tx: TenantTx,
  who: PersonOrService,
  input: NewService,
): Promise<RegisteredService> {
  const grant = authorize(servicePolicy, 'services:create', who, null)
  await repo.lockRegistry(tx)
  const { name, description = '', base_url: baseUrl, health_url: healthUrl = null } = input
  const { routes, meanings } = readRoutes(input)
  await assertFree(tx, who, name, routes, deps.ownRoutes())
  const service = await repo.insertService(tx, grant, { name, description, baseUrl, healthUrl, routes })
  const permissions = await changeCatalogue(tx, grant, name, meanings)
  await audit(tx, who, 'service.created', service, { after: { ...describe(service), permissions } })
  return { ...service, permissions }
}

async function change(
  deps: RegistryDeps,
  tx: TenantTx,
  who: PersonOrService,
  before: Service,
  ifMatch: string | undefined,
  fields: Partial<repo.ServiceFields>,
  said: Parameters<typeof readRoutes>[0] | undefined,
): Promise<RegisteredService> {
  const grant = authorize(servicePolicy, 'services:modify', who, before)
  assertVersion(ifMatch, before)
  let routes = before.routes
  let permissions: CatalogueChange = { added: [], removed: [], kept: [] }
  if (said !== undefined) {
    const read = readRoutes(said)
    await assertFree(tx, who, before.name, read.routes, deps.ownRoutes())
    permissions = await changeCatalogue(tx, grant, before.name, read.meanings)
    routes = read.routes
  }
  const { description, baseUrl, healthUrl } = { ...before, ...fields }
  const after = await repo.updateService(tx, grant, { description, baseUrl, healthUrl, routes })
  await audit(tx, who, 'service.modified', after, {
    before: describe(before),
    after: { ...describe(after), permissions },
  })
  return { ...after, permissions }
}

/** @throws Problem `service-not-found` for what can be no name: an id that nothing has, and names that are ours */
function nameOf(ref: string): string {
  if (!isServiceName(ref)) throw problem('service-not-found')
  return ref
}

function describe({ name, description, baseUrl, healthUrl, routes }: Service): Record<string, unknown> {
  return { name, description, base_url: baseUrl, health_url: healthUrl, routes: routes.map(showRoute) }
}

function showRoute({ path, methods, access }: ServiceRoute): string {
  const needs = access === 'public' ? 'public' : access.permissions.join(' ')
  return `${methods.join(',')} ${path} (${needs})`
}

function audit(
  tx: TenantTx,
  who: PersonOrService,
  action: string,
  { id }: Service,
  { before, after }: { before?: Record<string, unknown>; after: Record<string, unknown> },
): Promise<void> {
  const isPerson = 'userId' in who
  return recordAudit(tx, {
    action,
    actor: isPerson ? who : null,
    targetType: 'service',
    targetId: id,
    ...(before === undefined ? {} : { before }),
    after: isPerson ? after : { ...after, service_key: who.fingerprint, by_service: who.service?.name ?? null },
    request: who.request,
  })
}
