/** `pnpm bench`: runs the parts that are asked for, one after the other, and prints one table. */

import type { Bench } from './bench.ts'
import { inspectMachine, leaveProgramCore } from './machine.ts'
import { type CommandLine, help, type PartName, parseCommandLine } from './options.ts'
import { measureMemory } from './parts/memory.ts'
import { measureRefresh } from './parts/refresh.ts'
import { measureSignIn } from './parts/sign-in.ts'
import { measureTenant } from './parts/tenant.ts'
import { measureVerify } from './parts/verify.ts'
import { type Row, renderTable } from './report.ts'

const parts: Readonly<Record<PartName, (bench: Bench) => Promise<Row[]>>> = {
  verify: measureVerify,
  refresh: measureRefresh,
  'sign-in': measureSignIn,
  tenant: measureTenant,
  memory: measureMemory,
}

const commandLine = readCommandLine()
if (commandLine?.isHelpWanted === true) console.log(help)
else if (commandLine !== undefined) await measure(commandLine.parts)

function readCommandLine(): CommandLine | undefined {
  try {
    return parseCommandLine(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    process.exitCode = 2
    return undefined
  }
}

async function measure(chosen: readonly PartName[]): Promise<void> {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error(`Interrupted by ${signal}.`)))
  }
  const machine = inspectMachine()
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
      if (interruption.signal.aborted) return console.error((interruption.signal.reason as Error).message)
      notes.add(`${part} could not be measured.`)
      console.error(error)
    }
  }
  const minutes = ((Date.now() - startedAt.getTime()) / 60_000).toFixed(1)
  console.log(`\nSignet benchmarks, ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${minutes} minutes`)
  for (const line of [...machine.description, ...notes]) console.log(line)
  console.log(`Rates and ratios are medians of five paired rounds.\n\n${renderTable(rows)}`)
}
