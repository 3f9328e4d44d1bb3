/**
 * Our programs as an operator runs them: a process of its own, with the flags of its package script and default settings,
 * behind what it takes for its proxy.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { findFreePort } from './free-port.ts'
import { proxyAddress } from './network-addresses.ts'
import { prepareProcess, type RestartableProgram } from './program.ts'

export interface Issuer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** An issuer that is ended and started again: address, keys and home stay. */
export interface RestartableIssuer extends RestartableProgram {
  /** Signing keys and the installation's secret. */
  readonly keysFolder: string
}

const portSettings = { iam: 'IAM_PORT', 'admin-api': 'ADMIN_PORT' } as const

/** Resolves when it is ready. */
export async function startIssuer(bench: Bench, databaseUrl: string): Promise<Issuer> {
  const issuer = await prepareIssuer(bench, databaseUrl)
  try {
    return { url: issuer.url, pid: await issuer.start(), [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose]() }
  } catch (error) {
    await issuer[Symbol.asyncDispose]()
    throw error
  }
}

/** Starts nothing yet. @param settings of the issuer, beside those that every one here gets */
export function prepareIssuer(
  bench: Bench,
  databaseUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RestartableIssuer> {
  return prepareProgram(bench, 'iam', databaseUrl, settings)
}

/** As `prepareIssuer`, also for the administration. */
export async function prepareProgram(
  bench: Bench,
  name: keyof typeof portSettings,
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<RestartableIssuer> {
  const appFolder = fileURLToPath(new URL(`../../../apps/${name}/`, import.meta.url))
  const flags = await readStartFlags(appFolder)
  const port = await findFreePort()
  const home = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const keysFolder = settings['SIGNET_KEYS'] ?? join(home, 'keys')
  const program = prepareProcess({
    name: `apps/${name}`,
    core: bench.machine.programCore,
    args: [...flags, join(appFolder, 'src/main.ts')],
    port,
    environment: {
      SIGNET_HOME: join(home, 'home'),
      SIGNET_KEYS: keysFolder,
      [portSettings[name]]: String(port),
      DATABASE_URL: databaseUrl,
      TRUST_PROXY: proxyAddress,
      ...settings,
    },
    home,
    signal: bench.signal,
  })
  return {
    ...program,
    keysFolder,
    [Symbol.asyncDispose]: async () => {
      await program[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** The flags that the package's `start` script gives to node, whatever it does before. */
export function parseNodeFlags(script: string): string[] {
  const words = script.split('&&').at(-1)?.trim().split(/\s+/) ?? []
  const entryAt = words.findIndex((word, at) => at > 0 && !word.startsWith('-'))
  if (words[0] !== 'node' || entryAt < 0) throw new TypeError(`Not of the form node [flags] file: ${script}`)
  return words.slice(1, entryAt)
}

async function readStartFlags(appFolder: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(appFolder, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  const script = manifest.scripts?.['start']
  if (script === undefined) throw new Error(`${appFolder} has no script start.`)
  return parseNodeFlags(script)
}
