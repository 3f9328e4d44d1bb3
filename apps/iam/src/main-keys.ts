import { loadEnvironment } from '@signet/http/environment'
import { SettingsError, systemClock } from '@signet/kernel'
import { readKeyConfig } from './config.ts'
import { runKeysCommand } from './modules/keys/index.ts'

try {
  const keys = { ...readKeyConfig(loadEnvironment()), clock: systemClock }
  const { text, exitCode } = await runKeysCommand(keys, process.argv.slice(2))
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = exitCode
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exitCode = 1
}
