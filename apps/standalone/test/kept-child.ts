/** What an installation says is searched for secrets when the run is over; so is what it wrote down for its owner alone. */
import { existsSync, readFileSync } from 'node:fs'
import { logStream, plantSecretsOf } from '@signet/testkit'
import { type Child, type Home, startChild } from '../src/demo/child.ts'

/** As `startChild`. */
export function startKeptChild(home: Home, more: Readonly<Record<string, string>> = {}, program?: string): Child {
  const child = startChild(home, more, program)
  const log = logStream('standalone')
  void child.ended.then(() => {
    log.write(child.output())
    if (existsSync(home.adminFile)) plantSecretsOf(JSON.parse(readFileSync(home.adminFile, 'utf8')))
  })
  return child
}
