// From a request to what arrives outside, through the program as its settings start it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHasher } from '@signet/accounts'
import { runStatement, withAdminClient } from '@signet/db'
import { loggerOptions } from '@signet/http'
import { newId, SettingsError, type TenantId, type UserId } from '@signet/kernel'
import { logStream, plantCanary, plantSecretsOfExchange, testDatabase, testLogger } from '@signet/testkit'
import { SMTPServer } from 'smtp-server'
import t, { type Test } from 'tap'
import { readConfig, toIamOptions } from '../src/config.ts'
import { startIam } from '../src/index.ts'
import { password, temporaryFolder } from './test-app.ts'

const database = await testDatabase(t)
const hash = await createHasher({ maxConcurrent: 1, queueLimit: 1 }).hash(password)
await runStatement(
  database.db,
  sql =>
    sql`select bootstrap_installation(${newId<TenantId>()}, ${newId<TenantId>()}, 'acme', 'Acme', ${newId<UserId>()}, 'root@example.com', null, null, ${hash}, null, null)`,
)

const keys = join(await temporaryFolder(t), 'keys')

/** Starts the issuer with these settings, and a way to ask it. */
async function startWith(t: Test, settings: Record<string, string> = {}) {
  const home = await temporaryFolder(t)
  const config = readConfig({
    DATABASE_URL: database.url,
    SIGNET_HOME: home,
    SIGNET_KEYS: keys,
    ...settings,
  })
  const log: string[] = []
  const stream = { write: (line: string) => void log.push(line) }
  const logger = testLogger(loggerOptions('trace', 'json', 'iam'), 'iam', stream)
  const program = await startIam({ ...toIamOptions(config), database: database.db, port: 0, logger })
  t.teardown(() => program.stop())
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const answer = await program.app.inject({ method: 'POST', url: path, payload: body, headers })
    plantSecretsOfExchange({ requestBody: body, status: answer.statusCode, answer: answer.body, cookies: undefined })
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
  }
  return { home, log, post, stop: () => program.stop() }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 10))
}

/** Every row of every table, as a dump would hold it. */
async function dump(): Promise<string> {
  return withAdminClient(database.superUrl, async sql => {
    const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'public'`
    const lines: string[] = []
    for (const { name } of tables) {
      for (const { line } of await sql<{ line: string }[]>`select x::text as line from ${sql(name)} x`) lines.push(line)
    }
    return lines.join('\n')
  })
}

/** Is the code there as itself, and not as six digits of something longer? */
const holds = (text: string, code: string) =>
  new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`).test(text) || text.includes(Buffer.from(code).toString('hex'))

const codeIn = (text: string) => {
  const code = /^ {4}(\d{6})$/m.exec(text)?.[1] ?? 'no code'
  plantCanary('code', code)
  return code
}

t.test('a message becomes a file where nothing is set', async t => {
  const { home, log, post } = await startWith(t)
  t.equal((await post('/api/v1/users', { email: 'file@example.com', password, name: 'Zoé' })).status, 201)
  await withAdminClient(
    database.superUrl,
    sql => sql`update users set language = 'fr' where email = 'file@example.com'`,
  )
  t.equal((await post('/api/v1/otp/requests', { email: 'file@example.com' })).status, 202)
  const folder = join(home, 'outbox')
  const find = async () => (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.json'))
  await until(async () => (await find()).length === 1)
  const [name = ''] = await find()
  const message = JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, string>
  t.match(message, {
    channel: 'email',
    to: 'file@example.com',
    subject: 'Votre code de connexion',
    text: /^Bonjour Zoé,/,
  })
  t.same(Object.keys(message), ['id', 'channel', 'to', 'subject', 'text', 'html', 'created_at'])
  const code = codeIn(message['text'] ?? '')
  t.match(code, /^\d{6}$/)
  const signedIn = await post('/api/v1/otp/verifications', { email: 'file@example.com', code })
  t.equal(signedIn.status, 200)
  t.notOk(
    log.some(line => holds(line, code)),
    'no log holds the code',
  )
})

t.test('D-06 with mail and SMS down a request is answered as ever, and both arrive once they are back', async t => {
  const received: string[] = []
  const openSmtp = async (port: number) => {
    const server = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      disabledCommands: ['STARTTLS'],
      closeTimeout: 50,
      onData: (stream, _session, callback) => {
        let raw = ''
        stream.on('data', (chunk: Buffer) => (raw += chunk.toString()))
        stream.on('end', () => {
          received.push(raw)
          callback()
        })
      },
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    return { server, port: (server.server.address() as AddressInfo).port }
  }
  const texts: string[] = []
  const openHttp = async (port: number) => {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => (body += String(chunk)))
      request.on('end', () => {
        texts.push(body)
        response.end()
      })
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    return { server, port: (server.address() as AddressInfo).port }
  }
  const [smtp, http] = [await openSmtp(0), await openHttp(0)]
  await new Promise<void>(resolve => smtp.server.close(() => resolve()))
  await new Promise(resolve => http.server.close(resolve))

  const { post, log } = await startWith(t, {
    EMAIL_TRANSPORT: 'smtp',
    MAIL_SERVER: '127.0.0.1',
    MAIL_PORT: String(smtp.port),
    SENDER_EMAIL: 'signet@signet.example',
    SMS_TRANSPORT: 'webhook',
    SMS_WEBHOOK_URL: `http://127.0.0.1:${http.port}/sms`,
    SMS_WEBHOOK_SECRET: 'a secret of the webhook that is long enough',
  })
  for (const person of [{ email: 'down@example.com' }, { username: 'ada', phone: '+14155552671' }]) {
    t.equal((await post('/api/v1/users', { ...person, password })).status, 201)
  }
  const evil = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
  const [known, unknown, byPhone] = [
    await post('/api/v1/otp/requests', { email: 'down@example.com' }, evil),
    await post('/api/v1/otp/requests', { email: 'nobody@example.com' }),
    await post('/api/v1/otp/requests', { phone: '+14155552671' }),
  ]
  t.equal(known.status, 202)
  t.same([unknown, byPhone], [known, known])
  await until(() => ['email', 'sms'].every(channel => log.some(line => line.includes(`"channel":"${channel}"`))))
  const waiting = await dump()

  const [smtpAgain, httpAgain] = [await openSmtp(smtp.port), await openHttp(http.port)]
  t.teardown(() => new Promise<void>(resolve => smtpAgain.server.close(() => resolve())))
  t.teardown(() => {
    httpAgain.server.closeAllConnections()
    return new Promise(resolve => httpAgain.server.close(resolve))
  })
  const find = () => received.find(raw => /^To: down@example\.com\r$/m.test(raw))
  await until(() => find() !== undefined && texts.length > 0)
  const [mail = '', text = ''] = [find(), texts[0]]
  t.match(mail, /^From: signet@signet\.example\r$/m)
  const code = codeIn(mail.replaceAll('\r', ''))
  const smsCode = /\d{6}/.exec((JSON.parse(text) as { text: string }).text)?.[0] ?? 'no code'
  t.match(JSON.parse(text), { to: '+14155552671', channel: 'sms', template: 'sign-in-code' })
  await t.test('H-01 no word of the request’s Host is in the mail', async t => t.notMatch(mail, 'evil'))
  await t.test('a dump of the database holds no code, before or after', async t => {
    const sent = await dump()
    for (const each of [code, smsCode]) {
      t.match(each, /^\d{6}$/)
      t.notOk(holds(waiting, each))
      t.notOk(holds(sent, each))
    }
    t.ok(waiting.includes('down@example.com'), 'the dump is one')
  })
  await t.test('the log tells the outage and not the messages', async t => {
    const lines = log.join('')
    t.match(lines, 'a message was not delivered: it and all others are tried again')
    for (const each of [code, smsCode]) t.notOk(holds(lines, each))
    t.notMatch(lines, 'down@example.com')
  })
})

t.test('the settings of mail and SMS', async t => {
  const base = { DATABASE_URL: 'postgres://x@localhost/x' }
  const read = (settings: Record<string, string>) => toIamOptions(readConfig({ ...base, ...settings })).delivery
  const faultsOf = (settings: Record<string, string>): readonly string[] => {
    try {
      read(settings)
      return []
    } catch (error) {
      if (error instanceof SettingsError) return error.faults
      throw error
    }
  }
  const smtp = { EMAIL_TRANSPORT: 'smtp', MAIL_SERVER: 'mail.example.com', SENDER_EMAIL: 'signet@example.com' }
  const ses = {
    EMAIL_TRANSPORT: 'ses',
    AWS_REGION: 'eu-west-1',
    SES_SMTP_USERNAME: 'user',
    SES_SMTP_PASSWORD: 'hunter2',
    SENDER_EMAIL: 'signet@example.com',
  }
  await t.test('say what they mean', async t => {
    t.same(read({ SIGNET_HOME: '/srv/signet' }), {
      folder: join('/srv/signet', 'outbox'),
      email: { by: 'file' },
      sms: { by: 'file' },
      events: undefined,
    })
    const shared = { by: 'smtp', host: 'mail.example.com', sender: 'signet@example.com', maxMessages: 100 }
    t.match(read(smtp).email, { ...shared, port: 25, security: 'none', credentials: undefined })
    t.match(read({ ...smtp, MAIL_USE_TLS: 'true', MAIL_USERNAME: 'u', MAIL_PASSWORD: 'p' }).email, {
      port: 587,
      security: 'starttls',
      credentials: { username: 'u', password: 'p' },
    })
    t.match(read({ ...smtp, MAIL_USE_SSL: 'true' }).email, { port: 465, security: 'tls' })
    t.match(read({ ...smtp, MAIL_PORT: '2525', MAIL_MAX_EMAILS: '7' }).email, { port: 2525, maxMessages: 7 })
    t.match(read(ses).email, {
      by: 'smtp',
      host: 'email-smtp.eu-west-1.amazonaws.com',
      port: 587,
      security: 'starttls',
      credentials: { username: 'user', password: 'hunter2' },
    })
    t.match(
      read({ SMS_TRANSPORT: 'twilio', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 't', TWILIO_FROM: '+1' }).sms,
      {
        by: 'twilio',
        accountSid: 'AC1',
        authToken: 't',
        from: '+1',
      },
    )
    t.match(read({ ENG_ANALYTICS_URL: 'http://analytics:5000', INTERNAL_SERVICE_API_KEY: 'first,second' }).events, {
      baseUrl: 'http://analytics:5000',
      serviceKey: 'first',
    })
  })
  await t.test('stop the start where one is missing or two exclude each other, all at once', async t => {
    t.match(faultsOf({ EMAIL_TRANSPORT: 'smtp', SMS_TRANSPORT: 'webhook' }), [
      /^SENDER_EMAIL is missing: EMAIL_TRANSPORT=smtp needs it/,
      /^MAIL_SERVER is missing/,
      /^SMS_WEBHOOK_URL is missing: SMS_TRANSPORT=webhook needs it/,
      /^SMS_WEBHOOK_SECRET is missing/,
    ])
    t.match(faultsOf({ EMAIL_TRANSPORT: 'ses' }), [
      /^SENDER_EMAIL is missing: EMAIL_TRANSPORT=ses/,
      /^AWS_REGION/,
      /^SES_SMTP_USERNAME/,
      /^SES_SMTP_PASSWORD/,
    ])
    t.match(faultsOf({ MAIL_USE_TLS: 'true', MAIL_USE_SSL: 'true' }), [
      /^MAIL_USE_TLS \(STARTTLS\) and MAIL_USE_SSL .*exclude each other/,
    ])
    t.match(faultsOf({ ...smtp, MAIL_USERNAME: 'u' }), [/^MAIL_USERNAME and MAIL_PASSWORD go together/])
    t.match(faultsOf({ ...smtp, SENDER_EMAIL: 'Signet <signet@example.com>' }), [/^SENDER_EMAIL has to be an address/])
    t.match(faultsOf({ ...smtp, MAIL_DEFAULT_SENDER: 'other@example.com' }), [
      /^SENDER_EMAIL and MAIL_DEFAULT_SENDER are the same setting/,
    ])
    t.match(faultsOf({ ...ses, AWS_REGION: 'evil.example/' }), [/^AWS_REGION/])
    for (const names of [
      ['fast2sms', 'FAST2SMS_API_KEY', 'FAST2SMS_SENDER_ID', 'FAST2SMS_TEMPLATE_ID'],
      ['twilio', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'],
    ]) {
      const [transport = '', ...needed] = names
      t.same(
        faultsOf({ SMS_TRANSPORT: transport }).map(fault => fault.split(' ')[0]),
        needed,
      )
    }
  })
  await t.test('do not let a password or a code cross the network in clear, in production', async t => {
    const secured = { SIGNET_ENV: 'production', COOKIE_SECURE: 'true', MAIL_USERNAME: 'u', MAIL_PASSWORD: 'hunter2' }
    const faults = faultsOf({ ...smtp, ...secured })
    t.match(faults, [/^MAIL_PASSWORD would cross the network in clear/])
    t.notMatch(faults.join(), 'hunter2')
    t.same(faultsOf({ ...smtp, ...secured, MAIL_USE_TLS: 'true' }), [])
    const webhook = {
      SIGNET_ENV: 'production',
      COOKIE_SECURE: 'true',
      SMS_TRANSPORT: 'webhook',
      SMS_WEBHOOK_SECRET: 'kEq83.mvTz0-wYbN5-hGr2sLpDfU7',
    }
    t.match(faultsOf({ ...webhook, SMS_WEBHOOK_URL: 'http://sms.example/in' }), [/^SMS_WEBHOOK_URL has to be https/])
    t.same(faultsOf({ ...webhook, SMS_WEBHOOK_URL: 'https://sms.example/in' }), [])
  })
})

t.test('pnpm outbox', async t => {
  const run = async (environment: Record<string, string>, ...words: string[]) => {
    const program = fileURLToPath(new URL('../src/main-outbox.ts', import.meta.url))
    const env = { PATH: process.env['PATH'], ...environment }
    const child = spawn(process.execPath, [program, ...words], { cwd: await temporaryFolder(t), env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
    const [code] = (await once(child, 'close')) as [number]
    logStream('outbox').write(output)
    return { code, output }
  }
  await t.test('works on the database of the settings', async t => {
    t.match(await run({ DATABASE_URL: database.url }, 'list', '--dead'), { code: 0, output: /Nothing waits/ })
    t.match(await run({ DATABASE_URL: database.url }, 'sweep'), { code: 2, output: /There is no command sweep/ })
  })
  await t.test('says without a stack what is in the way', async t => {
    t.match(await run({ SIGNET_HOME: '/nowhere' }, 'list'), {
      code: 1,
      output: /DATABASE_URL is missing, and no installation runs/,
    })
    const { code, output } = await run({ DATABASE_URL: 'postgres://x:hunter2@127.0.0.1:1/x' })
    t.equal(code, 1)
    t.match(output, /^The database cannot be reached/)
    t.notMatch(output, / {4}at |hunter2/)
  })
})
