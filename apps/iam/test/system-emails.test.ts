import { createHash } from 'node:crypto'
import t from 'tap'
import { type TestApp, testApp } from './test-app.ts'

const [former, next] = ['former-0123456789-abcdefghij', 'next-9876543210-jihgfedcba']
const url = '/api/v1/system-emails'
const secretWords = 'the invoice of ACME is overdue'
const lines: string[] = []

const a = await testApp(t, {
  log: { write: line => void lines.push(line) },
  deps: { serviceKeys: [former, next], adminEmail: 'Admin@Example.com' },
})
const mail = { to: 'ada@example.com', subject: 'Overdue', text: secretWords }

async function send(body: object, key: string | undefined = next, on: TestApp = a) {
  const headers = { 'user-agent': 'billing/1', ...(key === undefined ? {} : { 'x-api-key': key }) }
  const answer = await on.app.inject({ method: 'POST', url, headers, payload: body })
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
}

const countMessages = () =>
  a.asOwner(async sql => Number((await sql`select count(*) from outbound_messages`)[0]?.count))

t.test('system mail', async t => {
  await t.test('is queued for its one recipient, sealed, with the platform', async t => {
    const answer = await send({ ...mail, to: 'Ada@Example.com', html: '<p>x</p>', reply_to: 'billing@example.com' })
    t.equal(answer.status, 202)
    t.match(answer.body.id, /^[0-9a-f-]{36}$/)
    t.strictSame(Object.keys(answer.body), ['id'])
    t.match(await a.messagesTo('ada@example.com'), [
      {
        template: 'system',
        status: 'queued',
        data: { subject: 'Overdue', text: secretWords, html: '<p>x</p>', replyTo: 'billing@example.com' },
      },
    ])
    const [row] = await a.asOwner(
      sql => sql<{ tenant_id: string; user_id: string | null; channel: string; payload: Uint8Array }[]>`
        select tenant_id, user_id, channel, payload from outbound_messages where id = ${answer.body.id}`,
    )
    t.match(row, { tenant_id: a.platform, user_id: null, channel: 'email' })
    t.notOk(Buffer.from(row?.payload ?? []).includes(secretWords))
  })

  await t.test('goes to the administrator where it names nobody', async t => {
    t.equal((await send({ subject: 'Disk', text: 'full' })).status, 202)
    t.equal((await a.messagesTo('admin@example.com')).length, 1)
  })

  await t.test('that names nobody is refused where there is no administrator’s address', async t => {
    const b = await testApp(t, { deps: { serviceKeys: [next] } })
    const answer = await send({ subject: 'Disk', text: 'full' }, next, b)
    t.equal(answer.status, 400)
    t.match(answer.body, { code: 'invalid-input', errors: [{ pointer: '/to', message: /ADMIN_EMAIL/ }] })
  })

  await t.test('is audited with the key that asked, and with neither the key nor the words', async t => {
    const answer = await send(mail, former)
    const events = await a.asOwner(
      sql =>
        sql<
          { text: string }[]
        >`select to_jsonb(e)::text as text from audit_events e where action = 'system-email.queued'`,
    )
    const event = events.map(({ text }) => JSON.parse(text)).find(({ target_id: id }) => id === answer.body.id)
    t.match(event, {
      tenant_id: a.platform,
      actor_id: null,
      target_type: 'message',
      ip: '127.0.0.1',
      user_agent: 'billing/1',
      request_id: answer.headers['x-request-id'],
    })
    t.strictSame(event.after, {
      recipient: 'ada@example.com',
      service: null,
      service_key: createHash('sha256').update(former).digest('hex').slice(0, 8),
    })
    for (const { text } of events) t.notMatch(text, new RegExp(`${secretWords}|${former}|${next}`))
  })

  await t.test('is sent for either key while one replaces the other, and for no other', async t => {
    t.equal((await send(mail, former)).status, 202)
    t.equal((await send(mail, next)).status, 202)
    const before = await countMessages()
    for (const key of ['', 'x', next.slice(1), `${former},${next}`]) {
      const answer = await send(mail, key)
      t.equal(answer.status, 401)
      t.equal(answer.body.code, 'invalid-service-key')
    }
    const person = await a.register({ email: 'grace@example.com' })
    const { access_token: token } = await a.signIn(person.email)
    t.equal((await a.post(url, mail, token)).body.code, 'invalid-service-key', 'nor for a person')
    t.equal(await countMessages(), before)
  })

  await t.test('is laid out from the plain words of a notice, which are escaped', async t => {
    const data = {
      heading: 'Disk <full> & "slow"',
      body: 'First line\nsecond line\r\n\r\nA <script>alert(1)</script>\n\n\n\nEnd',
      action_url: "https://example.com/?a=1&b='2'",
      action_label: 'Look at it',
    }
    const answer = await send({ to: 'notice@example.com', subject: 'Disk', template: 'notice', data })
    t.equal(answer.status, 202)
    const [message] = await a.messagesTo('notice@example.com')
    t.match(message, { template: 'system', data: { subject: 'Disk' } })
    t.equal(
      message?.data.text,
      `${[
        'Disk <full> & "slow"',
        'First line\nsecond line',
        'A <script>alert(1)</script>',
        'End',
        "Look at it: https://example.com/?a=1&b='2'",
      ].join('\n\n')}\n`,
    )
    const html: string = message?.data.html
    t.match(html, '>Disk &lt;full&gt; &amp; &quot;slow&quot;</h1>')
    t.match(html, '<p>First line<br>second line</p>')
    t.match(html, '<p>A &lt;script&gt;alert(1)&lt;/script&gt;</p>')
    t.match(html, '<a href="https://example.com/?a=1&amp;b=&#39;2&#39;">Look at it</a>')
    t.notMatch(html, '<script')
  })

  await t.test('is refused by name where a member is missing, too long, or not what it should be', async t => {
    const notice = { to: mail.to, subject: 'x', template: 'notice', data: { heading: 'x', body: 'x' } }
    const cases: [body: object, pointer: string][] = [
      [{ ...mail, subject: '' }, '/subject'],
      [{ ...mail, subject: 'x'.repeat(201) }, '/subject'],
      [{ to: mail.to, text: 'x' }, '/subject'],
      [{ to: mail.to, subject: 'x' }, '/text'],
      [{ to: mail.to, subject: 'x' }, '/html'],
      [{ ...mail, text: '' }, '/text'],
      [{ ...mail, text: 'x'.repeat(20_001) }, '/text'],
      [{ ...mail, html: 'x'.repeat(40_001) }, '/html'],
      [{ ...mail, to: 'nobody' }, '/to'],
      [{ ...mail, to: '' }, '/to'],
      [{ ...mail, to: ['ada@example.com', 'eve@example.com'] }, '/to'],
      [{ ...mail, to: { address: 'eve@example.com' } }, '/to'],
      [{ ...mail, from: 'eve@example.com' }, '/from'],
      [{ ...mail, cc: 'eve@example.com' }, '/cc'],
      [{ ...mail, text: 'a\0b' }, '/text'],
      [{ ...mail, data: notice.data }, '/data'],
      [{ ...mail, template: 'notice', data: notice.data }, '/text'],
      [{ ...notice, html: '<p>' }, '/html'],
      [{ ...notice, template: 'sign-in-code' }, '/template'],
      [{ ...notice, data: undefined }, '/data'],
      [{ ...notice, data: { heading: 'x' } }, '/data/body'],
      [{ ...notice, data: { ...notice.data, html: 'x' } }, '/data/html'],
      [{ ...notice, data: { ...notice.data, heading: 'a\nb' } }, '/data/heading'],
      [{ ...notice, data: { ...notice.data, body: 'x'.repeat(10_001) } }, '/data/body'],
      [{ ...notice, data: { ...notice.data, action_url: 'https://example.com' } }, '/data/action_label'],
      [{ ...notice, data: { ...notice.data, action_label: 'x' } }, '/data/action_url'],
      ...['javascript:alert(1)', 'data:text/html,x', '//example.com', 'https://a b', 'http://x"><script>'].map(
        (address): [object, string] => [
          { ...notice, data: { ...notice.data, action_url: address, action_label: 'x' } },
          '/data/action_url',
        ],
      ),
    ]
    const before = await countMessages()
    for (const [body, pointer] of cases) {
      const answer = await send(body)
      const name = `${pointer} of ${JSON.stringify(body).slice(0, 100)}`
      t.equal(answer.status, 400, name)
      t.equal(answer.body.code, 'invalid-input', name)
      t.ok(
        answer.body.errors.some((fault: { pointer: string }) => fault.pointer === pointer),
        name,
      )
    }
    t.equal(await countMessages(), before)
  })

  await t.test('I-06 has no way to a second recipient or header: one recipient, the stored one', async t => {
    const before = await countMessages()
    const breaks = ['\r\n', '\n', '\r', '\u0085', '\u2028', '\u2029', '\u000b', '\u001b', '%0d%0a']
    for (const each of breaks) {
      const injected = `${each}Bcc: eve@example.com`
      for (const body of [{ to: `ada@example.com${injected}` }, { reply_to: `ada@example.com${injected}` }]) {
        t.equal((await send({ ...mail, ...body })).body.code, 'invalid-input', encodeURI(JSON.stringify(body)))
      }
      if (each === '%0d%0a') continue
      const answer = await send({ ...mail, subject: `Hello${injected}` })
      t.match(answer.body, { code: 'invalid-input', errors: [{ pointer: '/subject' }] }, encodeURI(injected))
    }
    const lists = ['a@example.com,eve@example.com', 'a@example.com;eve@example.com', 'a@example.com eve@example.com']
    const names = ['Ada <eve@example.com>', '<eve@example.com>', '"a@example.com" <eve@example.com>', 'a@[127.0.0.1]']
    for (const address of [...lists, ...names]) {
      t.equal((await send({ ...mail, to: address })).body.code, 'invalid-input', address)
      t.equal((await send({ ...mail, reply_to: address })).body.code, 'invalid-input', address)
    }
    t.equal(await countMessages(), before)
    t.strictSame(await a.messagesTo('eve@example.com'), [])
  })

  await t.test('leaves nothing of its words, nor a key, in the log', async t => {
    t.ok(lines.some(line => line.includes(url)))
    t.notOk(lines.some(line => [secretWords, former, next].some(secret => line.includes(secret))))
  })
})

t.test('system mail without a service key in the settings is for nobody', async t => {
  const b = await testApp(t)
  for (const key of [undefined, '', next]) t.equal((await send(mail, key, b)).body.code, 'invalid-service-key')
})

t.test('H-04 system mail asks for its key in a header: an address would be logged', async t => {
  const answer = await a.app.inject({ method: 'POST', url: `${url}?x-api-key=${next}`, payload: mail })
  t.equal(answer.json().code, 'invalid-service-key')
})

t.test('system mail is limited by key, whatever address it comes from', async t => {
  const limits = { redisUrl: undefined, factor: 1 / 300 }
  const b = await testApp(t, { deps: { serviceKeys: [former, next], limits } })
  for (const key of ['wrong', 'wrong', 'wrong']) t.equal((await send(mail, key, b)).status, 401, 'costs nobody a turn')
  t.equal((await send(mail, former, b)).status, 202)
  t.equal((await send(mail, former, b)).status, 202)
  const refused = await send(mail, former, b)
  t.equal(refused.status, 429)
  t.equal(refused.body.code, 'too-many-requests')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await send(mail, next, b)).status, 202, 'the other key has its own')
})
