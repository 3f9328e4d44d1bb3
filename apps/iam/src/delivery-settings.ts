/** What the settings of mail, text messages and events mean together, and what is missing among them. */
import { join } from 'node:path'
import type { DeliverySettings } from '@signet/delivery'

export interface DeliveryConfig {
  readonly SIGNET_HOME: string
  readonly SIGNET_ENV: string
  readonly EMAIL_TRANSPORT: 'file' | 'smtp' | 'ses'
  readonly SENDER_EMAIL: string | undefined
  readonly MAIL_SERVER: string | undefined
  readonly MAIL_PORT: number | undefined
  readonly MAIL_USE_TLS: boolean
  readonly MAIL_USE_SSL: boolean
  readonly MAIL_USERNAME: string | undefined
  readonly MAIL_PASSWORD: string | undefined
  readonly MAIL_MAX_EMAILS: number
  readonly AWS_REGION: string | undefined
  readonly SES_SMTP_USERNAME: string | undefined
  readonly SES_SMTP_PASSWORD: string | undefined
  readonly SMS_TRANSPORT: 'file' | 'fast2sms' | 'twilio' | 'webhook'
  readonly FAST2SMS_API_KEY: string | undefined
  readonly FAST2SMS_SENDER_ID: string | undefined
  readonly FAST2SMS_TEMPLATE_ID: string | undefined
  readonly TWILIO_ACCOUNT_SID: string | undefined
  readonly TWILIO_AUTH_TOKEN: string | undefined
  readonly TWILIO_FROM: string | undefined
  readonly SMS_WEBHOOK_URL: string | undefined
  readonly SMS_WEBHOOK_SECRET: string | undefined
  readonly ENG_ANALYTICS_URL: string | undefined
  readonly INTERNAL_SERVICE_API_KEY: readonly string[]
}

export interface ReadDelivery {
  /** Worth something only where there are no faults. */
  readonly settings: DeliverySettings
  readonly faults: readonly string[]
}

export function readDelivery(config: DeliveryConfig): ReadDelivery {
  const faults: string[] = []
  const settings = {
    folder: join(config.SIGNET_HOME, 'outbox'),
    email: readEmail(config, faults),
    sms: readSms(config, faults),
    events:
      config.ENG_ANALYTICS_URL === undefined
        ? undefined
        : { baseUrl: config.ENG_ANALYTICS_URL, serviceKey: config.INTERNAL_SERVICE_API_KEY[0] },
  }
  return { settings, faults }
}

/** The value of a setting that another one makes necessary. */
function createNeed(config: DeliveryConfig, because: string, faults: string[]) {
  return (name: keyof DeliveryConfig): string => {
    const value = config[name]
    if (value === undefined) faults.push(`${name} is missing: ${because} needs it.`)
    return String(value ?? '')
  }
}

function readEmail(config: DeliveryConfig, faults: string[]): DeliverySettings['email'] {
  const { EMAIL_TRANSPORT: transport, MAIL_USE_TLS, MAIL_USE_SSL, SENDER_EMAIL } = config
  if (MAIL_USE_TLS && MAIL_USE_SSL) {
    faults.push('MAIL_USE_TLS (STARTTLS) and MAIL_USE_SSL (TLS from the first byte) exclude each other: keep one.')
  }
  if (transport === 'file') return { by: 'file' }
  const need = createNeed(config, `EMAIL_TRANSPORT=${transport}`, faults)
  const sender = need('SENDER_EMAIL')
  if (SENDER_EMAIL !== undefined && !/^[^\s<>,;"@]+@[^\s<>,;"@]+$/.test(sender)) {
    faults.push(`SENDER_EMAIL has to be an address like signet@example.com, and no more, not "${sender}".`)
  }
  const shared = { by: 'smtp', sender, maxMessages: config.MAIL_MAX_EMAILS } as const
  if (transport === 'ses') {
    const region = need('AWS_REGION')
    const credentials = { username: need('SES_SMTP_USERNAME'), password: need('SES_SMTP_PASSWORD') }
    if (region !== '' && !/^[a-z0-9-]+$/.test(region)) faults.push('AWS_REGION has to be a name like eu-west-1.')
    return { ...shared, host: `email-smtp.${region}.amazonaws.com`, port: 587, security: 'starttls', credentials }
  }
  const security = MAIL_USE_SSL ? 'tls' : MAIL_USE_TLS ? 'starttls' : 'none'
  const port = config.MAIL_PORT ?? { tls: 465, starttls: 587, none: 25 }[security]
  return {
    ...shared,
    host: need('MAIL_SERVER'),
    port,
    security,
    credentials: readCredentials(config, security, faults),
  }
}

function isServed({ SIGNET_ENV }: DeliveryConfig): boolean {
  return SIGNET_ENV === 'production' || SIGNET_ENV === 'staging'
}

function readCredentials(config: DeliveryConfig, security: string, faults: string[]) {
  const { SIGNET_ENV, MAIL_USERNAME: username, MAIL_PASSWORD: password } = config
  if (username === undefined && password === undefined) return undefined
  if (username === undefined || password === undefined) {
    faults.push('MAIL_USERNAME and MAIL_PASSWORD go together: set both, or neither.')
  }
  if (security === 'none' && isServed(config)) {
    faults.push(`MAIL_PASSWORD would cross the network in clear: set MAIL_USE_TLS or MAIL_USE_SSL in ${SIGNET_ENV}.`)
  }
  return { username: username ?? '', password: password ?? '' }
}

function readSms(config: DeliveryConfig, faults: string[]): DeliverySettings['sms'] {
  const need = createNeed(config, `SMS_TRANSPORT=${config.SMS_TRANSPORT}`, faults)
  if (config.SMS_TRANSPORT === 'fast2sms') {
    const [apiKey, senderId] = [need('FAST2SMS_API_KEY'), need('FAST2SMS_SENDER_ID')]
    return { by: 'fast2sms', apiKey, senderId, templateId: need('FAST2SMS_TEMPLATE_ID') }
  }
  if (config.SMS_TRANSPORT === 'twilio') {
    const [accountSid, authToken] = [need('TWILIO_ACCOUNT_SID'), need('TWILIO_AUTH_TOKEN')]
    return { by: 'twilio', accountSid, authToken, from: need('TWILIO_FROM') }
  }
  if (config.SMS_TRANSPORT === 'webhook') {
    const url = need('SMS_WEBHOOK_URL')
    if (isServed(config) && url.startsWith('http:')) {
      faults.push(`SMS_WEBHOOK_URL has to be https in ${config.SIGNET_ENV}: codes would cross the network in clear.`)
    }
    return { by: 'webhook', url, secret: need('SMS_WEBHOOK_SECRET') }
  }
  return { by: 'file' }
}
