/** The words after `pnpm admin`. */
import { parseArgs } from 'node:util'

export const usage = `Usage: pnpm admin <command>

  import <file>   bring the people of an NDJSON file into a tenant (apps/admin-api/docs/import.md)
    --dry-run     check every line and write nothing
  export          write the people of a tenant as such a file to standard output

  --tenant <id>      the tenant (default: that of the token, or the company of first-admin.json)
  --token <token>    an access token (default: SIGNET_TOKEN; else the administrator of $SIGNET_HOME/first-admin.json
                     signs in)
  --admin-url <url>  where the administration is (default: that of first-admin.json, or http://localhost:4001)
  --iam-url <url>    where the issuer is (default: that of first-admin.json, or http://localhost:4000)
  --help             this text

Lines that fail are reported in <file>.failed. Exit codes: 0 done, 1 a line failed or the import stopped, 2 not understood.
`

export interface CommonOptions {
  readonly tenant: string | undefined
  readonly token: string | undefined
  readonly adminUrl: string | undefined
  readonly iamUrl: string | undefined
}

export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'import'; readonly file: string; readonly isDryRun: boolean; readonly options: CommonOptions }
  | { readonly name: 'export'; readonly options: CommonOptions }

/** What was typed makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError */
export function readCommand(words: readonly string[]): Command {
  const { positionals, values } = parse(words)
  const [name, file, ...rest] = positionals
  if (values.help === true) return { name: 'help' }
  const { tenant, token, 'admin-url': adminUrl, 'iam-url': iamUrl, 'dry-run': isDryRun = false } = values
  const options = { tenant, token, adminUrl, iamUrl }
  if (name === 'import') {
    if (file === undefined || rest.length > 0) throw new UsageError('import needs one file.')
    return { name, file, isDryRun, options }
  }
  if (name === 'export') {
    if (file !== undefined || isDryRun) throw new UsageError('export takes neither a file nor --dry-run.')
    return { name, options }
  }
  throw new UsageError(name === undefined ? 'Say what to do.' : `There is no command ${name}.`)
}

function parse(words: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        'dry-run': { type: 'boolean' },
        tenant: text,
        token: text,
        'admin-url': text,
        'iam-url': text,
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
