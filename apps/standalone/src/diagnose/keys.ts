/** The folder of the signing keys and of the secret, looked at as a start would, without changing anything. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadInstallationSecret } from '@signet/http'
import { inspectKeys } from '@signet/iam'
import type { StandaloneConfig } from '../config.ts'
import { createCheck, type Finding, reasonOf } from './finding.ts'

const dayMs = 86_400_000
const oldKeyDays = 90

export async function diagnoseKeys(config: StandaloneConfig): Promise<Finding[]> {
  return [...(await diagnoseRing(config)), await diagnoseSecret(config.SIGNET_KEYS)]
}

async function diagnoseRing(config: StandaloneConfig): Promise<Finding[]> {
  const keys = createCheck('keys')
  const folder = config.SIGNET_KEYS
  const tokenLifeMs = Math.max(config.ACCESS_TOKEN_TTL, config.ACCESS_TOKEN_EXPIRE_MINUTES * 60) * 1_000
  const none = keys.warning(
    `there are none in ${folder}`,
    'The first start makes them; or restore the folder from your backup',
  )
  if (!existsSync(folder)) return [none]
  try {
    const found = await inspectKeys({ folder, tokenLifeMs, clock: Date.now })
    if (found === undefined) return [none]
    const days = Math.floor(found.activeForMs / dayMs)
    const said = `${found.activeKid} has signed for ${days} days, ${found.published} are published`
    const findings = [days < oldKeyDays ? keys.ok(said) : keys.warning(said, 'Run: pnpm keys rotate')]
    return found.hasNext ? findings : [...findings, keys.warning('there is no next one', 'Run: pnpm keys add')]
  } catch (error) {
    return [keys.fail(reasonOf(error), 'No issuer starts on this')]
  }
}

async function diagnoseSecret(folder: string): Promise<Finding> {
  const secret = createCheck('secret')
  if (!existsSync(join(folder, 'secret'))) {
    return secret.warning(
      'there is none',
      'The first start makes it; with keys but without it, restore it from your backup',
    )
  }
  try {
    await loadInstallationSecret(folder)
    return secret.ok('is whole, and its owner alone can read it')
  } catch (error) {
    return secret.fail(reasonOf(error), 'No program starts on this')
  }
}
