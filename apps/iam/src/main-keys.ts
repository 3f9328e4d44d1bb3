import { loadEnvironment } from '@signet/http/environment'
import { SettingsError, systemClock } from '@signet/kernel'
import { readKeyConfig } from './config.ts'
import { runKeysCommand } from './modules/keys/index.ts'

try {
  const { SIGNET_KEYS: folder, ACCESS_TOKEN_TTL, ACCESS_TOKEN_EXPIRE_MINUTES } = readKeyConfig(loadEnvironment())
  const tokenLifeMs = Math.max(ACCESS_TOKEN_TTL, ACCESS_TOKEN_EXPIRE_MINUTES * 60) * 1_000
  const keys = { folder, tokenLifeMs, clock: systemClock }
  const { text, exitCode } = await runKeysCommand(keys, process.argv.slice(2))
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = exitCode
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exitCode = 1
}
