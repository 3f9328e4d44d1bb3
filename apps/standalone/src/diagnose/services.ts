/** What the programs call: Redis, the mail server, and what sends text messages. */
import { verifySmtp } from '@signet/delivery'
import { pingRedis } from '@signet/http/ping-redis'
import { toIamOptions } from '@signet/iam/config'
import type { StandaloneConfig } from '../config.ts'
import { createCheck, type Finding, reasonOf } from './finding.ts'

const served = new Set(['production', 'staging'])

export async function diagnoseRedis({ REDIS_URL: url }: StandaloneConfig): Promise<Finding> {
  const redis = createCheck('redis')
  if (url === undefined) return redis.ok('is not used: each node counts requests for itself')
  try {
    await pingRedis(url)
    return redis.ok('answers')
  } catch (error) {
    const remedy = 'Start it, or correct REDIS_URL: until then each node counts requests for itself'
    return redis.warning(`does not answer: ${reasonOf(error)}`, remedy)
  }
}

export async function diagnoseMail(config: StandaloneConfig): Promise<Finding> {
  const mail = createCheck('mail')
  const { folder, email } = toIamOptions(config).delivery
  if (email.by === 'file') {
    const said = `stays in ${folder}`
    return served.has(config.SIGNET_ENV) ? mail.warning(said, 'Set EMAIL_TRANSPORT to smtp or ses') : mail.ok(said)
  }
  const place = `${email.host}:${email.port}`
  try {
    await verifySmtp(email)
    return mail.ok(`${place} takes us${email.credentials === undefined ? '' : ' with our password'}; nothing was sent`)
  } catch (error) {
    return mail.fail(
      `${place} does not take us: ${reasonOf(error)}`,
      `Correct the settings of ${config.EMAIL_TRANSPORT}`,
    )
  }
}

/** A provider cannot be asked without sending something: what its settings lack has been told with the settings. */
export function diagnoseSms(config: StandaloneConfig): Finding {
  const sms = createCheck('sms')
  const { folder, sms: transport } = toIamOptions(config).delivery
  if (transport.by !== 'file') return sms.ok(`${transport.by} has all its settings; nothing was sent`)
  const said = `text messages stay in ${folder}`
  return served.has(config.SIGNET_ENV) ? sms.warning(said, 'Set SMS_TRANSPORT if codes go to phones') : sms.ok(said)
}
