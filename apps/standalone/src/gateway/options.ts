/** The words of `pnpm gateway`. */
import { parseArgs } from 'node:util'

export const usage = `Usage: pnpm gateway nginx|haproxy [options]

Writes the configuration of a reverse proxy that puts all programs behind one origin, from the map at
/admin/v1/gateway/routes. It asks with the first key of INTERNAL_SERVICE_API_KEY.

  --from URL            where admin-api is. Default: ADMIN_URL, else http://localhost:$ADMIN_PORT
  --to FILE             writes there, whole or not at all. Default: the terminal
  --listen [ADDRESS:]PORT   where the gateway listens. Default: 8080
  --nodes NAME=HOST:PORT,…  several servers of one service, such as iam=iam-1:4000,iam-2:4000. May be repeated
  --watch SECONDS       asks again so often, and writes when the map has changed. Needs --to
`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const kinds = ['nginx', 'haproxy'] as const
export interface GatewayOptions {
  readonly kind: (typeof kinds)[number]
  readonly from: string | undefined
  readonly to: string | undefined
  readonly listen: string
  readonly nodes: ReadonlyMap<string, readonly string[]>
  readonly watchSeconds: number | undefined
}

/** @throws UsageError. Nothing where help was asked for */
export function readOptions(args: readonly string[]): GatewayOptions | undefined {
  const { values, positionals } = parse(args)
  if (values.help === true) return undefined
  const kind = kinds.find(each => each === positionals[0])
  if (kind === undefined || positionals.length > 1) throw new UsageError('Say nginx or haproxy.')
  const { from, to, listen = '8080', watch, nodes = [] } = values
  if (!/^([A-Za-z0-9.[\]:-]+:)?\d{1,5}$/.test(listen)) throw new UsageError(`--listen ${listen} is no port.`)
  const watchSeconds = watch === undefined ? undefined : Number(watch)
  if (watchSeconds !== undefined && !(watchSeconds > 0 && watchSeconds <= 3_600))
    throw new UsageError('--watch takes seconds, up to 3600.')
  if (watchSeconds !== undefined && to === undefined) throw new UsageError('--watch needs --to.')
  return { kind, from, to, listen, nodes: new Map(nodes.map(readNodes)), watchSeconds }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        listen: { type: 'string' },
        nodes: { type: 'string', multiple: true },
        watch: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readNodes(text: string): [string, readonly string[]] {
  const [, service, servers] = /^([\w-]+)=([A-Za-z0-9.[\]:-]+:\d+(?:,[A-Za-z0-9.[\]:-]+:\d+)*)$/.exec(text) ?? []
  if (service === undefined || servers === undefined)
    throw new UsageError(`--nodes ${text} has to be like iam=iam-1:4000,iam-2:4000.`)
  return [service, servers.split(',')]
}
