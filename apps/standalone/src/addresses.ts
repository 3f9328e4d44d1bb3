/** Where a browser or curl on this machine finds the programs. */
export interface Addresses {
  readonly iam: string
  readonly admin: string
  readonly places: string
}

const thisMachine = new Set(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::'])

export function addressOf(host: string, port: number): string {
  if (thisMachine.has(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
