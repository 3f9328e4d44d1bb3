// An interceptor that stands before every handler of a server: no message of a call is read before its token is good,
// and a stream ends with its token.

import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js'
import { AuthError } from '../errors.ts'
import type { Need } from '../need.ts'
import type { Principal } from '../principal.ts'
import { type Admission, type Hold, type RecheckOptions, Rechecks, toRefusal } from '../rechecks.ts'
import type { Verifier } from '../verifier.ts'
import { type MethodNeeds, readMethodNeeds } from './method-needs.ts'

export interface GrpcGuardOptions extends RecheckOptions {
  readonly verifier: Pick<Verifier, 'authenticate'>
  readonly methods: MethodNeeds
}

/** For the server option `interceptors`, as its first item: the first one stands nearest to the wire. */
export interface GrpcGuard extends ServerInterceptor {
  /** How many streams are open that this guard has let in. */
  readonly openStreams: number
}

// Types that the library has but does not export.
type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>
type Answer = Parameters<ServerInterceptingCall['sendStatus']>[0]
type Listener = Parameters<ServerInterceptingCall['start']>[0]

const knownOptions = ['verifier', 'methods', 'recheckEveryMs', 'now']
const statusCodes = { 401: status.UNAUTHENTICATED, 403: status.PERMISSION_DENIED, 503: status.UNAVAILABLE } as const
/** Names the reason in the trailers of a refusal. */
const reasonTrailer = 'signet-reason'

// By a call's auth context, which stays the same whatever another interceptor makes of the metadata.
const calls = new WeakMap<AuthContext, GuardedCall>()

/** Throws a TypeError for wrong or unknown options. */
export function guardGrpc(options: GrpcGuardOptions): GrpcGuard {
  for (const name of Object.keys(options)) {
    if (!knownOptions.includes(name)) throw new TypeError(`options has no member ${name}`)
  }
  const { verifier } = options
  const findNeed = readMethodNeeds(options.methods)
  const rechecks = new Rechecks(options)
  const interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, call) =>
    new GuardedCall(call, {
      admit: metadata => admit(verifier, metadata, findNeed(path)),
      // A unary call is over with its answer; a stream can outlive its token by days.
      rechecks: requestStream || responseStream ? rechecks : undefined,
    })
  return Object.defineProperty(interceptor, 'openStreams', { get: () => rechecks.size }) as GrpcGuard
}

/** Whom a call speaks for. Throws in a public method, and on a server that has no guard. */
export function principalOf(call: { getAuthContext(): AuthContext }): Principal {
  const principal = calls.get(call.getAuthContext())?.principal
  if (principal === undefined) throw new Error('This call has no principal: its method is public, or has no guard.')
  return principal
}

async function admit(
  verifier: GrpcGuardOptions['verifier'],
  metadata: Metadata,
  need: Need | 'public' | undefined,
): Promise<Admission | undefined> {
  if (need === undefined) throw new AuthError('forbidden', 'This method does not say who may call it.')
  if (need === 'public') return undefined
  const values = metadata.get('authorization')
  if (values.length > 1) throw new AuthError('malformed', 'The metadata authorization is repeated.')
  const headers = values.length === 0 ? {} : { authorization: String(values[0]) }
  const verify = () => verifier.authenticate(headers, need)
  return { principal: await verify(), verify }
}

interface Guarding {
  /** Undefined for a public method. Rejects with an AuthError. */
  readonly admit: (metadata: Metadata) => Promise<Admission | undefined>
  readonly rechecks: Rechecks | undefined
}

class GuardedCall extends ServerInterceptingCall {
  readonly #guarding: Guarding
  #authContext: AuthContext | undefined
  #listener: Listener | undefined
  #principal: Principal | undefined
  #hold: Hold | undefined
  /** Refused, cancelled or answered: nothing passes any more, in neither direction. */
  #over = false
  #cancelled = false

  constructor(call: ServerInterceptingCallInterface, guarding: Guarding) {
    super(call)
    this.#guarding = guarding
  }

  get principal(): Principal | undefined {
    return this.#hold?.principal ?? this.#principal
  }

  override getAuthContext(): AuthContext {
    if (this.#authContext === undefined) {
      this.#authContext = { ...super.getAuthContext() }
      calls.set(this.#authContext, this)
    }
    return this.#authContext
  }

  override start(listener: Listener): void {
    this.#listener = listener
    super.start({
      onReceiveMetadata: metadata => {
        void this.#letIn(metadata, listener)
      },
      onReceiveMessage: message => {
        if (!this.#over) listener.onReceiveMessage(message)
      },
      onReceiveHalfClose: () => {
        if (!this.#over) listener.onReceiveHalfClose()
      },
      onCancel: () => this.#cancel(),
    })
  }

  override sendMetadata(metadata: Metadata): void {
    if (!this.#over) super.sendMetadata(metadata)
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (!this.#over) super.sendMessage(message, callback)
  }

  override sendStatus(answer: Answer): void {
    if (this.#over) return
    this.#finish()
    super.sendStatus(answer)
  }

  async #letIn(metadata: Metadata, listener: Listener): Promise<void> {
    try {
      const admission = await this.#guarding.admit(metadata)
      if (this.#over) return
      if (admission !== undefined) this.#stand(admission)
    } catch (error) {
      this.#refuse(toRefusal(error))
      return
    }
    listener.onReceiveMetadata(metadata)
  }

  #stand(admission: Admission): void {
    this.#principal = admission.principal
    const { rechecks } = this.#guarding
    if (rechecks === undefined) return
    rechecks.assertLasting(admission.principal)
    this.#hold = rechecks.hold(admission, refusal => this.#refuse(refusal))
  }

  // The handler hears of it at once: the client may read its status late, or never.
  #refuse(refusal: AuthError): void {
    if (this.#over) return
    const metadata = new Metadata()
    metadata.set(reasonTrailer, refusal.reason)
    this.sendStatus({ code: statusCodes[refusal.status], details: refusal.message, metadata })
    this.#cancel()
  }

  #cancel(): void {
    this.#finish()
    if (this.#cancelled) return
    this.#cancelled = true
    this.#listener?.onCancel()
  }

  #finish(): void {
    this.#over = true
    this.#hold?.release()
  }
}
