/** Bodies as callers of pm-identity-api send them: members that nobody knows are ignored, and an empty form field is none. */
import type { App } from '@signet/http'
import { problem, type TenantId } from '@signet/kernel'
import { type TProperties, type TSchema, Type } from 'typebox'

/** An empty text of a form means that there is nothing. Call it before the routes of the scope. */
export function readEmptyAsNull(scope: App): void {
  scope.addHook('preValidation', async request => {
    const { body } = request
    if (typeof body !== 'object' || body === null || Array.isArray(body) || Buffer.isBuffer(body)) return
    for (const [name, value] of Object.entries(body)) if (value === '') Reflect.set(body, name, null)
  })
}

type Loose<P extends TProperties> = { [Name in keyof P]: ReturnType<typeof looseMember<P[Name]>> }

const looseMember = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Each of the members may be left out or null, which says the same at a creation and clears at a change. */
export function looseMembers<P extends TProperties>(members: P): Loose<P> {
  return Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, looseMember(schema)])) as Loose<P>
}

/** Without those that are null: at a creation they say nothing. */
export function withoutNulls<B extends object>(body: B): { [Name in keyof B]?: Exclude<B[Name], null | undefined> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined)) as never
}

export const CompanyRef = { company_id: Type.Optional(Type.Unknown()) }

/** A company is never chosen by the body: it may name one's own. @throws Problem `forbidden` */
export function assertOwnCompany(body: { readonly company_id?: unknown }, tenantId: TenantId): void {
  const { company_id: named } = body
  if (named === undefined || named === null || named === tenantId) return
  throw problem('forbidden', 'company_id names another company than your own.')
}
