import { loadEnvironment, stopOnSignal } from '@signet/http'
import { keepCompiledCode, reuseCompiledCode } from '@signet/http/compiled-code'
import { SettingsError } from '@signet/kernel'
import { isRunAsScript, readConfig } from './config.ts'
import { watchLauncher } from './launcher.ts'
import type { Installation } from './start-installation.ts'
import { tellSteps } from './steps.ts'
import { planTour, renderTour } from './tour.ts'

// Whoever reads this may be gone before us; then there is nobody to tell, and all the more to stop.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

const resources = new AsyncDisposableStack()
let isStopping = false
let isLauncherGone = false
const stop = stopOnSignal(
  () => resources.disposeAsync(),
  reason => {
    isStopping = true
    console.log(`\nStopping: ${isLauncherGone ? 'what started this is gone' : reason}`)
  },
)
watchLauncher(isRunAsScript(process.env), () => {
  if (isStopping) return
  isLauncherGone = true
  stop()
})

try {
  const config = readConfig(loadEnvironment())
  console.log('Signet starts')
  reuseCompiledCode(config.SIGNET_HOME)
  // A setting that is wrong is told at once: the rest takes a second to read.
  const { startInstallation } = await import('./start-installation.ts')
  const installation = await startInstallation(config, resources, tellSteps(console.log))
  console.log(describeInstallation(installation))
  keepCompiledCode()
} catch (error) {
  // A start that is being stopped fails on what it no longer finds.
  if (!isStopping) {
    console.error(`\n${describeFailure(error)}`)
    await resources.disposeAsync().catch(() => undefined)
    process.exit(1)
  }
}

function describeInstallation({ addresses, adminFile }: Installation): string {
  const ready = `\nReady in ${(performance.now() / 1000).toFixed(1)} s. Ctrl-C stops all of it.`
  const references = `API references: ${addresses.iam}/docs ${addresses.admin}/docs ${addresses.places}/docs`
  if (adminFile === undefined) return `${ready} ${references}`
  return `${ready} ${references}\nPaste this into another terminal:\n\n${renderTour(planTour(addresses, adminFile))}\n`
}

/** What an operator can mend is said in its own words; a fault of ours comes with its stack. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof TypeError || error instanceof ReferenceError) return error.stack ?? error.message
  const code = 'code' in error ? String(error.code) : error.name
  const text = error.message === '' ? code : error.message
  return error instanceof SettingsError ? text : `Signet does not start. ${text}`
}
