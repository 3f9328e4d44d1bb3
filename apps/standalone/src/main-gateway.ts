// `pnpm gateway`: the configuration of a reverse proxy, from the map of routes.
import { loadEnvironment } from '@signet/http/environment'
import { SettingsError } from '@signet/kernel'
import { readGatewayConfig } from './config.ts'
import { describeFailure, followMap } from './gateway/follow-map.ts'
import { readOptions, usage, UsageError } from './gateway/options.ts'

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(usage)
  else {
    const { url, key } = readGatewayConfig(loadEnvironment())
    await followMap(options.from ?? url, key, options)
  }
} catch (error) {
  const isMistyped = error instanceof UsageError
  console.error(error instanceof SettingsError ? error.message : describeFailure(error))
  if (isMistyped) console.error(`\n${usage}`)
  process.exitCode = isMistyped ? 2 : 1
}
