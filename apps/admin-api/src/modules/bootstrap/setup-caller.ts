/** Who wants to initialise the installation: what of a request speaks for them. */

export interface SetupCaller {
  readonly isOnThisMachine: boolean
  readonly bearer: string | undefined
}

const loopback = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/
/** What a proxy adds. One on this machine makes every stranger look local. */
const traces = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'] as const

interface RequestFacts {
  readonly socket: { readonly remoteAddress?: string | undefined }
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export function describeSetupCaller(request: RequestFacts): SetupCaller {
  return { isOnThisMachine: isOnThisMachine(request), bearer: readBearer(request) }
}

function isOnThisMachine({ socket, headers }: RequestFacts): boolean {
  return loopback.test(socket.remoteAddress ?? '') && traces.every(name => headers[name] === undefined)
}

/** The setting may have spaces, which no other bearer has. */
function readBearer({ headers: { authorization } }: RequestFacts): string | undefined {
  return typeof authorization === 'string' ? /^bearer +(.+)$/i.exec(authorization)?.[1] : undefined
}
