/** The machine: Node, the ports, whether the issuer is found where tokens say it is, and room for what is written. */
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StandaloneConfig } from '../config.ts'
import { findPortFault } from '../ports.ts'
import { createCheck, type Finding, reasonOf } from './finding.ts'

const patienceMs = 3_000
const oldestNode = [22, 19] as const
const [scarceBytes, lowBytes] = [100 * 2 ** 20, 2 ** 30]

/** @param version as `process.versions.node` */
export function diagnoseNode(version: string): Finding {
  const node = createCheck('node')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
  return isNew ? node.ok(version) : node.fail(`${version} is too old`, 'Run it by pnpm, which brings Node 24')
}

export async function diagnosePorts(config: StandaloneConfig): Promise<Finding[]> {
  const settings = ['IAM_PORT', 'ADMIN_PORT', 'PLACES_PORT', 'METRICS_PORT'] as const
  const findings = settings.map(async setting => {
    const { HOST: host, [setting]: port } = config
    if (port === undefined) return []
    const ports = createCheck('port')
    const fault = await findPortFault({ setting, host, port })
    if (fault === undefined) return [ports.ok(`${setting} ${port} is free`)]
    if (await isOurs(host, port)) return [ports.ok(`${setting} ${port} is held by Signet`)]
    return [ports.fail(`${setting} ${port} cannot be had`, `Stop what holds it, or set ${setting} to another port`)]
  })
  return (await Promise.all(findings)).flat()
}

/** A program of ours says its version; the port of the metrics has metrics. */
async function isOurs(host: string, port: number): Promise<boolean> {
  const at = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const bodies = await Promise.all([`${at}/version`, `${at}/metrics`].map(read))
  return bodies.some(body => body !== undefined && (body.startsWith('{"version":') || body.includes('signet_')))
}

async function read(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs), redirect: 'error' })
    return answer.ok ? await answer.text() : undefined
  } catch {
    return undefined
  }
}

export async function diagnoseIssuer({ ISSUER }: StandaloneConfig): Promise<Finding> {
  const issuer = createCheck('issuer')
  const text = await read(`${ISSUER}/.well-known/oauth-authorization-server`)
  if (text === undefined) {
    return issuer.warning(
      `nobody answers at ${ISSUER}`,
      'Start the issuer, or set ISSUER to where people and services reach it',
    )
  }
  const said = readIssuer(text)
  if (said === ISSUER) return issuer.ok(`is found at ${ISSUER}`)
  return issuer.fail(`${ISSUER} says of itself ${said}`, 'Set ISSUER to the same, letter by letter, in all programs')
}

function readIssuer(text: string): string {
  try {
    const { issuer } = JSON.parse(text) as { issuer?: unknown }
    return typeof issuer === 'string' ? issuer.slice(0, 200) : 'nothing'
  } catch {
    return 'what is no metadata'
  }
}

/** @param free reads how many bytes are left where a folder is or would be */
export async function diagnoseDisk(
  { SIGNET_HOME: home }: StandaloneConfig,
  free: (folder: string) => Promise<number> = freeBytes,
): Promise<Finding> {
  const disk = createCheck('disk')
  try {
    const bytes = await free(home)
    const said = `${(bytes / 2 ** 30).toFixed(1)} GiB are free at ${home}`
    if (bytes >= lowBytes) return disk.ok(said)
    return disk[bytes < scarceBytes ? 'fail' : 'warning'](said, 'Make room: a database that cannot write stops')
  } catch (error) {
    return disk.fail(
      `${home} cannot be looked at: ${reasonOf(error)}`,
      'Give this account the right to it, or set SIGNET_HOME',
    )
  }
}

async function freeBytes(folder: string): Promise<number> {
  let there = folder
  while (!existsSync(there)) there = dirname(there)
  const { bavail, bsize } = await statfs(there)
  return bavail * bsize
}
