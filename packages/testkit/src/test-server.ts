/**
 * The PostgreSQL that tests run on: the one of TEST_DATABASE_URL, or an embedded one that all test files of a run share and
 * that ends with the run. Whoever finds none starts one. Two that start at the same moment both may: each works, the later
 * is announced to those who follow, and the other ends with its only user.
 */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface TestServer {
  /** For people: where the tests ran. */
  readonly place: string
  /** The login that migrates. */
  readonly adminUrl: string
  /** A login that may make databases and roles. */
  readonly superUrl: string
}

interface Announcement {
  readonly doorbell: number
  readonly adminUrl: string
  readonly superUrl: string
}

let found: Promise<TestServer> | undefined

/** The same server for the whole process. */
export function findTestServer(): Promise<TestServer> {
  found ??= locateServer()
  return found
}

async function locateServer(): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL']
  if (given !== undefined && given !== '') {
    return { place: `TEST_DATABASE_URL, ${new URL(given).host}`, adminUrl: given, superUrl: given }
  }
  const folder = await ensureMeetingPlace()
  const { adminUrl, superUrl } = (await joinAnnounced(folder)) ?? (await startOrAwait(folder))
  return { place: `embedded server, ${new URL(superUrl).host}`, adminUrl, superUrl }
}

/** Of this account alone: the announcement holds passwords. */
async function ensureMeetingPlace(): Promise<string> {
  const folder = join(tmpdir(), `signet-tests-${userInfo().username}`)
  await mkdir(folder, { mode: 0o711, recursive: true })
  const { uid } = await stat(folder)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Error(`${folder} belongs to another account: remove it, or set TMPDIR.`)
  }
  return folder
}

/** Rings at the announced server; the open connection is what keeps it running. */
async function joinAnnounced(folder: string): Promise<Announcement | undefined> {
  const text = await readFile(join(folder, 'server.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const announcement = JSON.parse(text) as Announcement
  return (await ring(announcement.doorbell)) ? announcement : undefined
}

function ring(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const deadline = setTimeout(() => socket.destroy(), 2_000)
    socket.once('data', () => {
      clearTimeout(deadline)
      socket.unref()
      resolve(true)
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(deadline)
      resolve(false)
    })
  })
}

/** Waits for whoever is starting one already. That only saves work: nothing depends on it. */
async function startOrAwait(folder: string): Promise<Announcement> {
  const marker = join(folder, 'starting')
  while (!(await placeMarker(marker)) && (await isStarterAlive(marker))) {
    const announced = await joinAnnounced(folder)
    if (announced !== undefined) return announced
    await pause(50)
  }
  try {
    return (await joinAnnounced(folder)) ?? (await startKeeper(folder))
  } finally {
    await rm(marker, { force: true })
  }
}

async function placeMarker(marker: string): Promise<boolean> {
  try {
    await writeFile(marker, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

async function isStarterAlive(marker: string): Promise<boolean> {
  const text = await readFile(marker, 'utf8').catch(() => undefined)
  // Just removed, or not written to the end yet: look again.
  if (text === undefined || text === '') return true
  try {
    process.kill(Number(text), 0)
    return true
  } catch {
    return false
  }
}

async function startKeeper(folder: string): Promise<Announcement> {
  // Not made here: the server makes it so that its own account can pass.
  const data = join(folder, `data-${randomBytes(6).toString('hex')}`)
  const { NODE_OPTIONS: _loader, NODE_V8_COVERAGE: _coverage, ...env } = process.env
  const keeper = spawn(process.execPath, [fileURLToPath(new URL('server-keeper.ts', import.meta.url)), data], {
    // Out of the runner's process group: a test file that is killed must not take the others' server along.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  })
  const announcement = await new Promise<string>((resolve, reject) => {
    keeper.once('error', reject)
    keeper.once('exit', code => reject(new Error(`The server for the tests ended with ${code}.`)))
    createInterface({ input: keeper.stdout }).once('line', resolve)
  })
  keeper.removeAllListeners('exit')
  keeper.stdout.destroy()
  keeper.unref()
  const parsed = JSON.parse(announcement) as Announcement
  if (!(await ring(parsed.doorbell))) throw new Error('The server for the tests does not answer.')
  const draft = join(folder, `server.${randomBytes(6).toString('hex')}.json`)
  await writeFile(draft, announcement, { mode: 0o600 })
  await rename(draft, join(folder, 'server.json'))
  return parsed
}
