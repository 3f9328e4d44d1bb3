/** The issuer and the administration, each a process of its own without standalone: nobody has initialised them. */
import { fileURLToPath } from 'node:url'
import { type TestDatabase, testDatabase } from '@signet/testkit'
import type { Test } from 'tap'
import { createHome, type Home } from '../src/demo/child.ts'
import { startKeptChild } from './kept-child.ts'

type Settings = Readonly<Record<string, string>>
type ProgramName = 'iam' | 'admin-api'

export interface LonePrograms {
  readonly home: Home
  readonly database: TestDatabase
  /** Starts one of them a second time, elsewhere. */
  start(name: ProgramName, address: string, settings: Settings): Promise<void>
}

const timeoutMs = 60_000

/** @param settings beside those of the home @throws Error when one of them does not answer in time */
export async function startLonePrograms(t: Test, settings: Settings = {}): Promise<LonePrograms> {
  const database = await testDatabase(t)
  const home = await createHome()
  t.teardown(() => home.remove())
  const { iam, admin } = home.addresses
  const environment = {
    DATABASE_URL: database.url,
    DATABASE_ADMIN_URL: database.adminUrl,
    ISSUER: iam,
    IAM_URL: iam,
    ADMIN_URL: admin,
    ...settings,
  }
  const start = async (name: ProgramName, address: string, more: Settings = {}) => {
    const main = fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url))
    const child = startKeptChild(home, { ...environment, ...more }, main)
    t.teardown(async () => {
      child.process.kill('SIGTERM')
      await child.ended
    })
    const deadline = performance.now() + timeoutMs
    while (!(await answers(address))) {
      if (performance.now() > deadline || child.process.exitCode !== null)
        throw new Error(`${name} does not answer:\n${child.output()}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  await Promise.all([start('iam', iam), start('admin-api', admin)])
  return { home, database, start }
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/livez`).catch(() => undefined)
  return answer?.ok ?? false
}
