import { problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { checkPeople } from './check.ts'
import { createKnownIdentifiers } from './known-identifiers.ts'
import { readLines } from './line-reader.ts'
import { type ParsedLine, parseLine } from './person-line.ts'
import type { Candidate, ImportSummary, LineReport } from './schema.ts'
import { createPeople } from './write.ts'

const batchLines = 200
/** Of text: what is longer is a batch of its own. */
const batchCharacters = 1024 * 1024
/** Hashing so many takes half a second: the report goes on. */
const batchPasswords = 25

export interface ImportOptions {
  readonly isDryRun: boolean
  /** Is this node about to end? Then an import ends after a batch. */
  readonly isStopping: () => boolean
}

/** Says no before the first line is read. @throws Problem `forbidden` */
export async function assertMayImport(deps: Deps, caller: Caller): Promise<void> {
  await actAs(deps, caller, 'users:create', async () => undefined)
}

/**
 * Brings the people of a file into this tenant, batch by batch, and gives the report as it goes: texts of one or more lines. The
 * next batch is read while one is written.
 * @throws Problem where it cannot go on: what was reported is done
 */
export async function* importPeople(
  deps: Deps,
  caller: Caller,
  file: AsyncIterable<Buffer>,
  { isDryRun, isStopping }: ImportOptions,
): AsyncGenerator<string> {
  const startedAt = performance.now()
  const counts = { created: 0, would_create: 0, exists: 0, failed: 0 }
  const known = createKnownIdentifiers()
  const settle = (people: readonly Candidate[]) =>
    isDryRun ? checkPeople(deps, caller, people, known) : createPeople(deps, caller, people)
  const report = (reports: readonly LineReport[]) => {
    for (const { status } of reports) counts[status] += 1
    return reports.map(each => `${JSON.stringify(each)}\n`).join('')
  }
  const batches = readBatches(file, deps.passwordMinLength)
  let reading = batches.next()
  for (let batch = await reading; batch.done !== true; batch = await reading) {
    if (isStopping()) throw problem('not-ready', 'This node is stopping. Send the file again.')
    reading = batches.next()
    // Where the file breaks off meanwhile, that is met when this batch is done.
    reading.catch(() => undefined)
    yield report(await settleBatch(batch.value, settle))
  }
  const lines = counts.created + counts.would_create + counts.exists + counts.failed
  const summary: ImportSummary = { ...counts, lines, seconds: Math.round(performance.now() - startedAt) / 1000 }
  yield `${JSON.stringify({ summary })}\n`
}

async function* readBatches(file: AsyncIterable<Buffer>, minPasswordLength: number): AsyncGenerator<ParsedLine[]> {
  let batch: ParsedLine[] = []
  let [characters, passwords] = [0, 0]
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      const parsed = parseLine(line, minPasswordLength)
      batch.push(parsed)
      characters += line.text?.length ?? 0
      if ('candidate' in parsed && parsed.candidate.password !== undefined) passwords += 1
      if (batch.length < batchLines && characters < batchCharacters && passwords < batchPasswords) continue
      yield batch
      batch = []
      characters = 0
      passwords = 0
    }
  }
  if (batch.length > 0) yield batch
}

/** The reports of a batch in the order of its lines. */
async function settleBatch(
  batch: readonly ParsedLine[],
  settle: (people: readonly Candidate[]) => Promise<readonly LineReport[]>,
): Promise<LineReport[]> {
  const candidates = batch.flatMap(parsed => ('candidate' in parsed ? parsed.candidate : []))
  const refused = batch.flatMap(parsed => ('candidate' in parsed ? [] : parsed.report))
  const settled = candidates.length === 0 ? [] : await settle(candidates)
  return [...refused, ...settled].toSorted((a, b) => a.line - b.line)
}
