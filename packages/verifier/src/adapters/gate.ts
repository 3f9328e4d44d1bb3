// What every adapter does with a request before its handler sees it. An adapter translates: from its framework's request,
// and into its framework's answer.

import type { RequestHeaders } from '../authenticate.ts'
import { AuthError } from '../errors.ts'
import type { Verifier } from '../verifier.ts'
import type { Rule } from './access.ts'
import { type Answer, describeRefusal } from './answer.ts'
import { assertSingleAuthorization, hasAuthorization } from './credentials.ts'
import { defaultNamespace, rememberPrincipal } from './principals.ts'
import { describeResource, type ProtectedResource } from './protected-resource.ts'

export interface GuardOptions<Namespace extends string = string> {
  readonly verifier: Verifier
  /** The name under which the principal is found. Several verifiers in one program need one each. Default `principal`. */
  readonly namespace?: Namespace
  /** Named in challenges. Default `signet`. */
  readonly realm?: string
  /** Served where it says, and named in challenges (RFC 9728): what `protectedResourceMetadata` gives. */
  readonly resourceMetadata?: ProtectedResource
}

/** What a gate has to know of a request. */
export interface Incoming {
  /** The framework's request, which the principal is remembered for. */
  readonly carrier: object
  readonly method: string
  /** The path as it was sent, whatever router stands in between; a query may follow. */
  readonly target: string
  readonly headers: RequestHeaders
  /** Node's. Without them a repeated header is joined with a comma, and no token holds one. */
  readonly rawHeaders?: readonly string[]
}

export interface Gate {
  readonly namespace: string
  readonly resourceMetadata: ProtectedResource | undefined
  /** Undefined: let it in. Rejects with whatever is not a refusal. */
  admit(rule: 'public' | Rule, incoming: Incoming): Promise<Answer | undefined>
  /** Rejects with an AuthError. */
  authenticate(rule: Rule, incoming: Pick<Incoming, 'carrier' | 'headers' | 'rawHeaders'>): Promise<void>
  refuse(error: AuthError, requestId?: string): Answer
}

const knownOptions = ['verifier', 'namespace', 'realm', 'resourceMetadata']
const identifier = /^[a-z][A-Za-z0-9]*$/
// What RFC 6750 section 3 lets stand between quotes, so that nothing of the realm is replaced.
const quotable = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/

/** @throws TypeError for options that are wrong, or that neither we nor the framework know */
export function createGate(options: GuardOptions, frameworkOptions: readonly string[] = []): Gate {
  for (const name of Object.keys(options)) {
    if (!knownOptions.includes(name) && !frameworkOptions.includes(name)) {
      throw new TypeError(`signet has no option ${name}`)
    }
  }
  const { verifier, namespace = defaultNamespace, realm = 'signet', resourceMetadata } = options
  if (typeof verifier?.authenticate !== 'function') throw new TypeError('verifier must be what createVerifier gives')
  if (!identifier.test(namespace)) throw new TypeError('namespace must be a name in camelCase')
  if (!quotable.test(realm))
    throw new TypeError('realm must be text without quotes, backslashes and control characters')
  if (resourceMetadata !== undefined && typeof resourceMetadata.document !== 'object') {
    throw new TypeError('resourceMetadata must be what protectedResourceMetadata gives')
  }
  const challenge = { realm, metadataUrl: resourceMetadata?.url }

  const gate: Gate = {
    namespace,
    resourceMetadata,
    async admit(rule, incoming) {
      if (resourceMetadata !== undefined && asksFor(resourceMetadata, incoming)) {
        return describeResource(resourceMetadata)
      }
      if (rule === 'public') return undefined
      try {
        await gate.authenticate(rule, incoming)
        return undefined
      } catch (error) {
        if (error instanceof AuthError) return describeRefusal(error, challenge)
        throw error
      }
    },
    async authenticate({ need, optional }, { carrier, headers, rawHeaders }) {
      rememberPrincipal(carrier, namespace, undefined)
      if (rawHeaders !== undefined) assertSingleAuthorization(rawHeaders)
      try {
        rememberPrincipal(carrier, namespace, await verifier.authenticate(headers, need))
      } catch (error) {
        if (optional && isNobody(error) && !hasAuthorization(headers)) return
        throw error
      }
    },
    refuse: (error, requestId) => describeRefusal(error, challenge, requestId),
  }
  return gate
}

function isNobody(error: unknown): boolean {
  return error instanceof AuthError && error.reason === 'missing_token'
}

function asksFor({ path }: ProtectedResource, { method, target }: Incoming): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  return target === path || target.startsWith(`${path}?`)
}
