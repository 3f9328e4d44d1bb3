/** `pnpm keys`: every command says what it did, may be repeated, and leaves alone what would break running tokens. */
import { parseArgs } from 'node:util'
import { addKey, findRing, type KeyFolder, removeKey, retireKey, rotateKeys } from './key-administration.ts'
import { KeyFolderError } from './key-files.ts'
import { activeKey, isPublished, nextKeys, publishedUntilMs, type Ring, type RingKey, RingRefusal } from './ring.ts'

export interface CommandResult {
  readonly text: string
  /** 0 done, 1 refused, 2 not understood. */
  readonly exitCode: 0 | 1 | 2
}

const usage = `Usage: pnpm keys <command>

  list            the keys and what each is for (also without a command)
  add             make a next key, where there is none
  rotate          the next key signs from now on; the active one is retired
  retire <kid>    publish a next key until its tokens would have expired, but never sign with it
  remove <kid>    publish a key no more: every token that it signed is refused
  --help          this text

<kid> may be shortened to its beginning. Running programs take changes up within a second or two.
The keys are in the folder of SIGNET_KEYS (default: keys).
`

/** How long verifiers may hold a key set without asking (Cache-Control of the key set). */
const keySetMaxAgeMs = 300_000

/** One key id in 64 begins with a dash (RFC 7638 in base64url) and is no option, shortened or not. */
function isDashedKid(word: string, at: number): boolean {
  return at > 0 && /^-[\w-]+$/.test(word) && word !== '-h' && word !== '--help'
}

export async function runKeysCommand(keys: KeyFolder, words: readonly string[]): Promise<CommandResult> {
  try {
    const { positionals, values } = parseArgs({
      args: words.flatMap((word, at) => (isDashedKid(word, at) ? ['--', word] : [word])),
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) return { text: usage, exitCode: 0 }
    return await run(keys, positionals)
  } catch (error) {
    if (error instanceof RingRefusal || error instanceof KeyFolderError)
      return { text: `${error.message}\n`, exitCode: 1 }
    if (isMistyped(error)) return { text: `${error.message}\n\n${usage}`, exitCode: 2 }
    throw error
  }
}

async function run(keys: KeyFolder, [command = 'list', kid, ...rest]: readonly string[]): Promise<CommandResult> {
  const takesKid = command === 'retire' || command === 'remove'
  if (rest.length > 0 || (kid !== undefined) !== takesKid) {
    return {
      text: `${takesKid ? `${command} needs one key id.` : `${command} takes no more words.`}\n\n${usage}`,
      exitCode: 2,
    }
  }
  switch (command) {
    case 'list':
      return done(describeRing(await findRing(keys), keys))
    case 'add': {
      const { ring, changed } = await addKey(keys)
      const [next] = nextKeys(ring)
      return done(
        `${changed ? 'Added' : 'There is already'} the next key ${next?.kid ?? ''}\n\n${describeRing(ring, keys)}`,
      )
    }
    case 'rotate':
      return done(await rotate(keys))
    case 'retire': {
      const { ring, changed, kid: whole } = await retireKey(keys, kid ?? '')
      return done(`${changed ? 'Retired' : 'Retired already:'} ${whole}\n\n${describeRing(ring, keys)}`)
    }
    case 'remove': {
      const { ring, changed, kid: whole } = await removeKey(keys, kid ?? '')
      return done(`${changed ? 'Removed' : 'Removed already:'} ${whole}\n\n${describeRing(ring, keys)}`)
    }
    default:
      return { text: `There is no command ${command}.\n\n${usage}`, exitCode: 2 }
  }
}

async function rotate(keys: KeyFolder): Promise<string> {
  const before = await findRing(keys)
  const { ring, changed } = await rotateKeys(keys)
  const active = activeKey(ring)
  const lines = changed
    ? [`Now signing with ${active.kid}`, `Retired            ${activeKey(before).kid}`]
    : [`Another process rotated at this moment: ${active.kid} signs.`]
  const publishedForMs = keys.clock() - Date.parse(active.created_at)
  if (changed && publishedForMs < keySetMaxAgeMs) {
    lines.push(
      `Note: this key was published only ${Math.round(publishedForMs / 1000)} s ago. A verifier that holds an older key set fetches it at the first token.`,
    )
  }
  return `${lines.join('\n')}\n\n${describeRing(ring, keys)}`
}

function describeRing(ring: Ring, keys: KeyFolder): string {
  const rows = ring.keys.map(key => [key.kid, key.state, shorten(key.created_at), describeUse(key, keys)])
  const table = [['KEY', 'STATE', 'MADE', 'USE'], ...rows]
  const widths = [0, 1, 2].map(column => Math.max(...table.map(row => row[column]?.length ?? 0)))
  return table
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function describeUse(key: RingKey, { clock, tokenLifeMs }: KeyFolder): string {
  if (key.state === 'next') return 'published; signs after the next rotation'
  if (key.state === 'active') return `signs since ${shorten(key.activated_at ?? key.created_at)}`
  if (key.state === 'removed') return `not published since ${shorten(key.removed_at ?? key.created_at)}`
  const until = shorten(new Date(publishedUntilMs(key, tokenLifeMs)).toISOString())
  return isPublished(key, clock(), tokenLifeMs) ? `published until ${until}` : `not published since ${until}`
}

function shorten(moment: string): string {
  return `${moment.slice(0, 19).replace('T', ' ')}Z`
}

function done(text: string): CommandResult {
  return { text: `${text}\n`, exitCode: 0 }
}

function isMistyped(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
