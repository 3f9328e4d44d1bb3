/** The issuer and the administration, each a process of its own without standalone: nobody has initialised them. */
import { fileURLToPath } from 'node:url'
import { type TestDatabase, testDatabase } from '@signet/testkit'
import type { Test } from 'tap'
import { createHome, type Home } from '../src/demo/child.ts'
import { startKeptChild } from './kept-child.ts'

export interface LonePrograms {
  readonly home: Home
  readonly database: TestDatabase
  readonly iam: string
  readonly admin: string
}

const timeoutMs = 60_000
const programs = ['iam', 'admin-api'] as const

/** @param settings beside those of the home @throws Error when one of them does not answer in time */
export async function startLonePrograms(
  t: Test,
  settings: Readonly<Record<string, string>> = {},
): Promise<LonePrograms> {
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
  for (const name of programs) {
    const main = fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url))
    const child = startKeptChild(home, environment, main)
    t.teardown(async () => {
      child.process.kill('SIGTERM')
      await child.ended
    })
    const url = name === 'iam' ? iam : admin
    const deadline = performance.now() + timeoutMs
    while (!(await answers(url))) {
      if (performance.now() > deadline || child.process.exitCode !== null)
        throw new Error(`${name} does not answer:\n${child.output()}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  return { home, database, iam, admin }
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/livez`).catch(() => undefined)
  return answer?.ok ?? false
}
