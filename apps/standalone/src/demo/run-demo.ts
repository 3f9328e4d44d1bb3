// The lines that a start prints, and then a longer story, against an installation that is made for it and removed afterwards. One
// line a step; the exit code is 0 when all have passed.
import { tellAdministration } from './administration-story.ts'
import { canRunTour, runTour } from './run-tour.ts'
import { type Child, createHome, startChild, waitUntilReady } from './child.ts'
import { tellStory } from './story.ts'
import { tellWaysIn } from './ways-in-story.ts'
import { readFirstAdmin } from '../credentials-file.ts'
import { inSeconds, type Step } from '../steps.ts'
import { planTour } from '../tour.ts'

const stopTimeoutMs = 15_000
let failures = 0

const step: Step = async (done, work) => {
  const from = performance.now()
  try {
    const result = await work()
    report(true, performance.now() - from, typeof done === 'string' ? done : done(result))
    return result
  } catch (error) {
    report(false, performance.now() - from, typeof done === 'string' ? done : 'this step')
    throw error
  }
}

const home = await createHome()
let child: Child | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void abandon())
try {
  const started = startChild(home)
  child = started
  await step('a fresh installation starts', () => waitUntilReady(started))
  const admin = await readFirstAdmin(home.adminFile)
  if (admin === undefined) throw new Error(`There is no ${home.adminFile}.`)
  await showTour()
  await tellStory(home.addresses, admin, step)
  await tellWaysIn(home.addresses, home.outbox, admin, step)
  await tellAdministration(home.addresses, admin, step)
  await step('it stops when it is told to', () => stop(started))
} catch (error) {
  failures += 1
  console.error(`\n${error instanceof Error ? error.message : String(error)}`)
  if (child !== undefined) console.error(`\nWhat the installation said:\n${child.output()}`)
} finally {
  await cleanUp()
}
const seconds = (performance.now() / 1000).toFixed(1)
console.log(failures === 0 ? `\nAll passed in ${seconds} s` : `\nFailed in ${seconds} s`)
process.exitCode = failures === 0 ? 0 : 1

async function showTour(): Promise<void> {
  if (!canRunTour()) {
    console.log('skip           the lines to paste: there is no sh or no curl here')
    return
  }
  for (const { title, hasPassed, durationMs, output } of await runTour(
    planTour(home.addresses, home.adminFile),
    home.folder,
  )) {
    report(hasPassed, durationMs, `pasted: ${title}`)
    if (hasPassed) continue
    failures += 1
    console.log(output)
  }
}

async function stop(started: Child): Promise<void> {
  const timer = setTimeout(() => started.process.kill('SIGKILL'), stopTimeoutMs)
  started.process.kill('SIGINT')
  const code = await started.ended
  clearTimeout(timer)
  // Windows has no signals: there the process is ended, and its guard stops the database.
  if (code !== 0 && process.platform !== 'win32') throw new Error(`It ended with ${String(code)}.`)
}

async function cleanUp(): Promise<void> {
  if (child !== undefined && child.process.exitCode === null && child.process.signalCode === null) {
    await stop(child).catch(() => undefined)
  }
  await home.remove()
}

async function abandon(): Promise<void> {
  await cleanUp()
  process.exit(130)
}

function report(hasPassed: boolean, durationMs: number, title: string): void {
  console.log(`${hasPassed ? 'pass' : 'FAIL'}  ${inSeconds(durationMs)}  ${title}`)
}
