// `pnpm admin`: people into a tenant and out of it, from the command line.
import { loadEnvironment } from '@signet/http/environment'
import { SettingsError } from '@signet/kernel'
import { exportPeople } from './command/export-people.ts'
import { importFile } from './command/import-file.ts'
import { readCommand, usage, UsageError } from './command/options.ts'
import { CommandFailure, openSession } from './command/session.ts'
import { readCommandConfig } from './config.ts'

try {
  const command = readCommand(process.argv.slice(2))
  if (command.name === 'help') process.stdout.write(usage)
  else {
    const { SIGNET_TOKEN: token, SIGNET_HOME: home } = readCommandConfig(loadEnvironment())
    const session = await openSession(command.options, { token, home })
    if (command.name === 'export') await exportPeople(session, process.stdout)
    else if ((await importFile(session, command.file, command.isDryRun)) > 0) process.exitCode = 1
  }
} catch (error) {
  const isMistyped = error instanceof UsageError
  const isPlain = isMistyped || error instanceof CommandFailure || error instanceof SettingsError
  console.error(isPlain ? error.message : error)
  if (isMistyped) console.error(`\n${usage}`)
  process.exitCode = isMistyped ? 2 : 1
}
