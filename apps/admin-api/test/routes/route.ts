/** One route of the app: what it needs, a call that works, and the event that it leaves. */
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import type { Method, World } from '../world.ts'

export interface Call {
  /** Values of the path's parameters. */
  readonly params?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** In the place of a JSON body, with their type among the headers. */
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** Those whom a route may be open to beside those who hold the permission. */
export type OpenTo = 'advisor' | 'client' | 'sub-client'

export interface Route {
  readonly method: Method
  readonly path: string
  /** `nothing`, `sign-in` (whoever has an account), `staff` (of the platform), `advisor` (the role alone), or a permission. */
  readonly needs: string
  readonly openTo?: readonly OpenTo[]
  readonly status: number
  /** Takes a service key in the place of a token. */
  readonly orServiceKey?: true
  /** A call that works, with rows of the company made for it; `caller` is who will send it. */
  readonly prepare: (world: World, caller: TestActor) => Promise<Call>
  /** Parameters that name rows of a tenant: with a stranger's they find nothing. */
  readonly owned?: readonly string[]
  /** The audit event of a route that changes something; null for one that changes nothing, whatever its method. */
  readonly event?: string | null
}

export const nothing = async (): Promise<Call> => ({})
export const unique = () => newId().slice(-12)
export const anyVersion = { 'if-match': '*' }
export const aPerson = async ({ cast, company }: World) => (await cast.addPerson(company)).userId
export const aRole = ({ cast, company }: World, permissions: string[] = []) => cast.addRole(company, permissions)
