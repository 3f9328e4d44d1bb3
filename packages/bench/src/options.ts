/** The command line. */

import { parseArgs } from 'node:util'

export const partNames = ['verify', 'refresh', 'sign-in', 'tenant', 'memory'] as const
export type PartName = (typeof partNames)[number]

export const help = `Holds Signet against the raw limits of this machine and against other libraries and servers.

Usage: pnpm bench [part …]

Parts, all of them without an argument (about five minutes):
  verify    the verifier against raw crypto.verify, jose, fast-jwt, aws-jwt-verify, jsonwebtoken
  refresh   POST /api/v1/tokens/refresh against raw RSA-2048 signing and oidc-provider
  sign-in   POST /api/v1/tokens against raw argon2id
  tenant    a read within a tenant against the same read without
  memory    resident memory of the issuer, 60 s after it is ready

Options:
  --help    this text

DATABASE_URL names a server to use instead of the embedded one: a login that may create databases and
roles. A database is made there and dropped at the end.

packages/bench/README.md says what each part does and how to read the table.`

export interface CommandLine {
  readonly parts: readonly PartName[]
  readonly isHelpWanted: boolean
}

/** @throws TypeError that says what is wrong with the command line */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  })
  const unknown = positionals.find(name => !isPart(name))
  if (unknown !== undefined) throw new TypeError(`There is no part ${unknown}. Parts: ${partNames.join(', ')}.`)
  const chosen = partNames.filter(name => positionals.length === 0 || positionals.includes(name))
  return { parts: chosen, isHelpWanted: values.help }
}

function isPart(name: string): name is PartName {
  return (partNames as readonly string[]).includes(name)
}
