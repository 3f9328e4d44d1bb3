/** `pnpm outbox`: what waits, what was given up, and another try for it. Never what a message says. */
import { parseArgs } from 'node:util'
import type { Database } from '@signet/db'
import { isId, type MessageId } from '@signet/kernel'
import { type ListedMessage, listMessages, retryMessages } from './outbox-repo.ts'

export interface CommandResult {
  readonly text: string
  /** 0 done, 1 refused, 2 not understood. */
  readonly exitCode: 0 | 1 | 2
}

const usage = `Usage: pnpm outbox <command>

  list            what waits and what was given up, the newest first (also without a command)
  list --queued   what waits, and what is being sent
  list --dead     what was given up
  retry <id>      queue a message again that was given up
  retry --dead    queue all of them again
  --help          this text

A running issuer delivers what is queued within a second. The messages are in the database of DATABASE_URL.
`

const waiting = ['queued', 'sending']
const rowsShown = 200

/** @param open the database, which help does not need */
export async function runOutboxCommand(
  open: () => Promise<Database>,
  words: readonly string[],
): Promise<CommandResult> {
  try {
    const { positionals, values } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, dead: { type: 'boolean' }, queued: { type: 'boolean' } },
    })
    if (values.help === true) return { text: usage, exitCode: 0 }
    return await run(await open(), positionals, values)
  } catch (error) {
    if (isMistyped(error)) return misunderstood(error.message)
    throw error
  }
}

async function run(
  database: Database,
  [command = 'list', ...rest]: readonly string[],
  { dead = false, queued = false }: { dead?: boolean | undefined; queued?: boolean | undefined },
): Promise<CommandResult> {
  switch (command) {
    case 'list': {
      if (rest.length > 0) return misunderstood('list takes no more words.')
      const statuses = [...(dead && !queued ? [] : waiting), ...(queued && !dead ? [] : ['dead'])]
      return { text: describeMessages(await listMessages(database, statuses, rowsShown + 1)), exitCode: 0 }
    }
    case 'retry':
      if (queued || rest.length !== (dead ? 0 : 1)) return misunderstood('retry needs one id, or --dead.')
      return dead ? retryAll(database) : retryOne(database, rest[0] ?? '')
    default:
      return misunderstood(`There is no command ${command}.`)
  }
}

async function retryOne(database: Database, id: string): Promise<CommandResult> {
  if (!isId(id)) return misunderstood(`${id} is no id of a message.`)
  const count = await retryMessages(database, id as MessageId)
  return count === 1
    ? { text: `Queued ${id}\n`, exitCode: 0 }
    : { text: `No message ${id} was given up. See: pnpm outbox list\n`, exitCode: 1 }
}

async function retryAll(database: Database): Promise<CommandResult> {
  const count = await retryMessages(database, null)
  return { text: `Queued ${count} ${count === 1 ? 'message' : 'messages'}\n`, exitCode: 0 }
}

function describeMessages(found: readonly ListedMessage[]): string {
  if (found.length === 0) return 'Nothing waits, and nothing was given up.\n'
  const rows = found
    .slice(0, rowsShown)
    .map(each => [
      each.id,
      each.status,
      each.channel,
      each.template,
      each.recipient,
      each.tenantSlug,
      String(each.attempts),
      shorten(each.createdAt),
      each.status === 'dead' ? '' : shorten(each.dueAt),
      each.lastError ?? '',
    ])
  const head = ['ID', 'STATE', 'CHANNEL', 'MESSAGE', 'TO', 'TENANT', 'TRIES', 'MADE', 'NEXT TRY', 'LAST FAILURE']
  const table = [head, ...rows].map(row => row.map(visible))
  const widths = head.map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0)))
  const lines = table.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  if (found.length > rowsShown) lines.push(`… and more: the newest ${rowsShown} are shown.`)
  return `${lines.join('\n')}\n`
}

/** A recipient is a stranger's text: it moves no cursor of the operator's terminal. */
function visible(cell: string): string {
  return cell.replace(/\p{C}/gu, '�')
}

function shorten(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

function misunderstood(why: string): CommandResult {
  return { text: `${why}\n\n${usage}`, exitCode: 2 }
}

function isMistyped(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
