/** The frame of both commands: reads the command line, runs the parts one after the other, and tells what they have found. */

import type { Bench } from './bench.ts'
import { parseCommandLine } from './command-line.ts'
import { leaveProgramCore, type Machine } from './machine.ts'

export type Parts<Name extends string, Row> = Readonly<Record<Name, (bench: Bench) => Promise<Row[]>>>

export interface Run<Row> {
  readonly rows: readonly Row[]
  /** When, how long, on what: the lines above a table. */
  readonly heading: readonly string[]
}

/**
 * Undefined where there is nothing to tell: help was asked for, the command line was wrong, or the run was interrupted. The
 * exit code is 2 for a wrong command line, 1 when a part failed.
 */
export async function runParts<Name extends string, Row>(
  title: string,
  help: string,
  parts: Parts<Name, Row>,
  inspect: () => Machine,
): Promise<Run<Row> | undefined> {
  const chosen = chooseParts(help, Object.keys(parts) as Name[])
  if (chosen === undefined) return undefined
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error(`Interrupted by ${signal}.`)))
  }
  const machine = inspect()
  leaveProgramCore(machine)
  const startedAt = new Date()
  const notes = new Set<string>()
  const rows: Row[] = []
  for (const part of chosen) {
    const bench: Bench = {
      machine,
      signal: interruption.signal,
      say: line => console.error(`${part}: ${line}`),
      note: line => notes.add(line),
    }
    try {
      rows.push(...(await parts[part](bench)))
    } catch (error) {
      // The other parts still have something to say.
      process.exitCode = 1
      if (interruption.signal.aborted) {
        console.error((interruption.signal.reason as Error).message)
        return undefined
      }
      notes.add(`${part} could not be run to its end.`)
      console.error(error)
    }
  }
  const minutes = ((Date.now() - startedAt.getTime()) / 60_000).toFixed(1)
  const when = startedAt.toISOString().slice(0, 16).replace('T', ' ')
  return { rows, heading: [`${title}, ${when} UTC, ${minutes} minutes`, ...machine.description, ...notes] }
}

function chooseParts<Name extends string>(help: string, names: readonly Name[]): readonly Name[] | undefined {
  try {
    const { parts, isHelpWanted } = parseCommandLine(process.argv.slice(2), names)
    if (!isHelpWanted) return parts
    console.log(help)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    process.exitCode = 2
  }
  return undefined
}
