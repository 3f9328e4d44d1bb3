import { existsSync } from 'node:fs'
import { SettingsError, systemClock } from '@signet/kernel'
import { readKeyConfig } from './config.ts'
import { runKeysCommand } from './modules/keys/index.ts'

try {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const { SIGNET_KEYS: folder, ACCESS_TOKEN_TTL } = readKeyConfig(process.env)
  const keys = { folder, tokenLifeMs: ACCESS_TOKEN_TTL * 1_000, clock: systemClock }
  const { text, exitCode } = await runKeysCommand(keys, process.argv.slice(2))
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = exitCode
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exitCode = 1
}
