import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeRetiredSettings, type Environment, readSecretFiles } from '@signet/kernel'

/**
 * What a program is given at its start: `.env` below the environment, secrets out of the files that it names, and the words
 * of the command line, which win (`--migrate=true` is RUN_MIGRATIONS, `--config=prod` is ENV). Retired settings are said.
 * @throws SettingsError when a secret's file cannot be read
 */
export function loadEnvironment(
  args: readonly string[] = [],
  warn: (line: string) => void = console.warn,
): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env')
  for (const line of describeRetiredSettings(process.env)) warn(line)
  const options = { migrate: { type: 'string' }, config: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...args], options })
  const words: Record<string, string> = {}
  if (values.migrate !== undefined) words['RUN_MIGRATIONS'] = values.migrate
  if (values.config !== undefined) words['ENV'] = values.config
  return readSecretFiles({ ...process.env, ...words }, path => readFileSync(path, 'utf8'))
}
