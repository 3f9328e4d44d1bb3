/**
 * What every program's first file does: read the settings, prepare the database, serve, stop on a signal; in one process, or in
 * several that share its port.
 */
import cluster from 'node:cluster'
import { StartupError } from '@signet/kernel'
import { keepCompiledCode, reuseCompiledCode } from './compiled-code.ts'
import { loadEnvironment } from './environment.ts'
import { stopOnSignal } from './lifecycle.ts'
import { createLog, type Log, loggerOptions, type logFormats, type LoggerSettings, type logLevels } from './logging.ts'
import type { Metrics } from './metrics.ts'
import { openMetrics } from './metrics-listener.ts'
import { openTracing } from './open-tracing.ts'
import { collectStartGarbage } from './start-garbage.ts'
import type { Tracer } from './tracing.ts'
import { superviseWorkers, workerIndex } from './workers.ts'

interface Settings {
  /** Of programs that keep something there. */
  readonly SIGNET_HOME?: string
  readonly HOST: string
  readonly METRICS_PORT?: number | undefined
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined
  readonly WORKER_COUNT: number
  readonly LOG_LEVEL: (typeof logLevels)[number]
  readonly LOG_FORMAT: (typeof logFormats)[number]
}

/** What watches a program from outside. */
export interface Sight {
  readonly logger: LoggerSettings
  readonly metrics: Metrics
  readonly tracer: Tracer | undefined
}

export interface ProgramPlan<Config extends Settings> {
  /** As its logs call it. */
  readonly name: string
  /** @throws SettingsError */
  readonly readConfig: (environment: Readonly<Record<string, string | undefined>>) => Config
  /** Done once, before anything serves, by the first process. */
  readonly prepare: (config: Config) => Promise<void>
  /** Reads the code of what serves: while the database is waited for. */
  readonly load: () => Promise<unknown>
  /** Starts what serves; what has to be stopped goes to `resources` as soon as it is there. */
  readonly serve: (config: Config, sight: Sight, resources: AsyncDisposableStack) => Promise<void>
}

/** Ends the process with 1 when the program cannot start, and says what a StartupError says. */
export async function runProgram<Config extends Settings>(plan: ProgramPlan<Config>): Promise<void> {
  const resources = new AsyncDisposableStack()
  let log: Log | undefined
  stopOnSignal(
    () => resources.disposeAsync(),
    reason => log?.info({ reason }, 'stopping'),
  )
  try {
    // What the first process has said the others need not repeat.
    const warn = cluster.isPrimary ? console.warn : () => undefined
    const config = plan.readConfig(loadEnvironment(process.argv.slice(2), warn))
    const logger = loggerOptions(config.LOG_LEVEL, config.LOG_FORMAT, plan.name)
    log = createLog(logger)
    const isSupervisor = cluster.isPrimary && config.WORKER_COUNT > 1
    if (!isSupervisor) beginLoading(plan, config)
    if (cluster.isPrimary) await plan.prepare(config)
    if (isSupervisor) await supervise(config.WORKER_COUNT, log, resources)
    else await serve(plan, config, logger, resources)
  } catch (error) {
    // A start that is being stopped fails on what it no longer finds.
    if (resources.disposed) return
    await resources.disposeAsync()
    console.error(error instanceof StartupError ? error.message : error)
    // close-with-grace ends a program that has nothing left to do with 0, whatever the exit code was set to.
    process.exit(1)
  }
}

function beginLoading<Config extends Settings>({ load }: ProgramPlan<Config>, { SIGNET_HOME }: Config): void {
  if (SIGNET_HOME !== undefined) reuseCompiledCode(SIGNET_HOME)
  // What goes wrong in it is told where the code is used.
  load().catch(() => undefined)
}

async function serve<Config extends Settings>(
  plan: ProgramPlan<Config>,
  config: Config,
  logger: LoggerSettings,
  resources: AsyncDisposableStack,
): Promise<void> {
  const { HOST, METRICS_PORT: port, OTEL_EXPORTER_OTLP_ENDPOINT, SIGNET_HOME } = config
  const metrics = await openMetrics(HOST, port === undefined ? undefined : port + workerIndex())
  resources.defer(() => metrics.close())
  const tracing = await openTracing(OTEL_EXPORTER_OTLP_ENDPOINT)
  resources.defer(() => tracing.close())
  await plan.serve(config, { logger, metrics: metrics.of(plan.name), tracer: tracing.of(plan.name) }, resources)
  if (SIGNET_HOME !== undefined) keepCompiledCode()
  collectStartGarbage()
}

async function supervise(count: number, log: Log, resources: AsyncDisposableStack): Promise<void> {
  const workers = superviseWorkers(count, ended => log.error(ended, 'a process ended: another is started'))
  resources.defer(() => workers.stop())
  await workers.ready
  log.info({ count }, 'all processes listen')
}
