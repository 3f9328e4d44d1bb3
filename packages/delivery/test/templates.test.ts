import t from 'tap'
import type { MessageData, TemplateName } from '../src/messages.ts'
import { composeMessage, type Reader } from '../src/templates/index.ts'

const reader: Reader = { channel: 'email', personName: 'Zoé Martin', language: 'en' }
const token = 'c3Rvb2wtbGFtcC1yaXZlci1ncmVlbi1oYXJib3Vy'

/** What of it has to be read, and what has to be warned of. */
const written: readonly [name: TemplateName, data: object, says: readonly string[]][] = [
  ['sign-in-code', { code: '407193', minutes: 10 }, ['407193', '10 minutes']],
  ['contact-code', { code: '407193', minutes: 1 }, ['407193', '1 minute']],
  ['password-reset-code', { code: '407193', minutes: 15 }, ['407193', '15 minutes']],
  ['password-changed', {}, []],
  ['contact-changed', { contact: 'z…@example.com' }, ['z…@example.com']],
  ['way-in-locked', { wayIn: 'password' }, []],
  [
    'client-access',
    { token, advisor: 'Ada', purpose: 'Tax return', minutes: 15 },
    [token, 'Ada', 'Tax return', '15 minutes'],
  ],
  ['invitation', { token, advisor: 'Ada', purpose: 'Tax return', days: 7 }, [token, 'Ada', 'Tax return', '7']],
]

const plainOf = (html: string | null) =>
  (html ?? '')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

for (const [name, data, says] of written) {
  t.test(name, async t => {
    for (const language of ['en', 'fr'] as const) {
      const { subject, text, html, variables, replyTo } = composeMessage(name, data, { ...reader, language })
      await t.test(`in ${language} greets, says what it is about, and the same in both bodies`, async t => {
        t.match(text, language === 'en' ? /^Hello Zoé Martin,\n/ : /^Bonjour Zoé Martin,\n/)
        for (const word of says) {
          t.ok(text.includes(word), `${word} in the text`)
          t.ok(html?.includes(word), `${word} in the HTML`)
        }
        const lines = (from: string) =>
          from
            .split('\n')
            .map(line => line.trim())
            .filter(line => line !== '')
        t.same(lines(plainOf(html)), lines(text))
        t.match(html, new RegExp(`<html lang="${language}">`))
      })
      await t.test(`in ${language} has a subject without a secret, and links nowhere`, async t => {
        t.match(subject, /^.{8,60}$/)
        for (const secret of ['407193', token]) t.notOk(subject.includes(secret))
        t.notMatch(`${text}${html}`, /https?:|href|www\./i, 'H-01 nothing is built from a Host')
        t.equal(replyTo, null)
      })
      await t.test(`in ${language} is short as a text message, with the words that differ in order`, async t => {
        const sms = composeMessage(name, data, { channel: 'sms', personName: 'Zoé', language })
        t.match(sms, { subject: '', html: null, channel: 'sms', variables: [...variables] })
        t.ok(sms.text.length <= 160 + token.length, sms.text)
        let from = 0
        for (const variable of variables) {
          from = sms.text.indexOf(variable, from)
          t.ok(from >= 0, `${variable} stands in it, after the one before`)
        }
      })
    }
  })
}

t.test('a code', async t => {
  for (const [language, warning, otherwise] of [
    ['en', /Do not pass it on/, /If you did not ask for it/],
    ['fr', /Ne le communiquez à personne/, /Si vous ne l’avez pas demandé/],
  ] as const) {
    const { text } = composeMessage('sign-in-code', { code: '407193', minutes: 60 }, { ...reader, language })
    t.match(text, warning)
    t.match(text, otherwise)
    t.match(text, language === 'en' ? /1 hour,/ : /1 heure,/)
  }
})

t.test('English is spoken to somebody unknown, without a name', async t => {
  const { text } = composeMessage(
    'sign-in-code',
    { code: '407193', minutes: 10 },
    { ...reader, personName: null, language: null },
  )
  t.match(text, /^Hello,\n/)
})

t.test('I-06 what people have chosen', async t => {
  const data: MessageData['client-access'] = {
    token,
    advisor: 'Ada\r\nBcc: thief@example.com',
    purpose: '<script>alert(1)</script>\n\nYour account is lost\u2028& "gone"',
    minutes: 15,
  }
  const { subject, text, html } = composeMessage('client-access', data, reader)
  await t.test('is one line wherever it stands', async t => {
    t.match(text, /Ada Bcc: thief@example\.com has opened/)
    t.notMatch(text, /\r|\u2028|\nBcc|\nYour account/)
    t.equal(subject, 'Access that was opened for you')
  })
  await t.test('is no HTML', async t => {
    t.notMatch(html, /<script/)
    t.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt; Your account is lost &amp; &quot;gone&quot;/)
  })
  await t.test('is left out of the greeting where a mail program would make a link of it', async t => {
    const greet = (personName: string) =>
      composeMessage('password-changed', {}, { ...reader, personName }).text.split('\n')[0]
    for (const name of [
      'http://evil.example',
      'www.evil.example',
      'Win at evil.com now',
      'a@evil.example',
      'x'.repeat(81),
      ' \r\n ',
    ]) {
      t.equal(greet(name), 'Hello,', JSON.stringify(name))
    }
    for (const name of ['J. R. R. Tolkien', 'O’Neill-Müller', 'Dr. Zoé', '山田 太郎'])
      t.equal(greet(name), `Hello ${name},`)
    t.equal(greet('Ada\u202e\r\nLovelace'), 'Hello Ada Lovelace,')
  })
})

t.test('the words of another service', async t => {
  const own: MessageData['system'] = {
    subject: 'Disk\r\nBcc: x@example.com',
    text: 'a\n\nb',
    html: '<b>b</b>',
    replyTo: 'desk@example.com',
  }
  await t.test('are kept, on one line where they are a header', async t => {
    t.match(composeMessage('system', own, { channel: 'email', personName: null, language: null }), {
      subject: 'Disk Bcc: x@example.com',
      text: 'a\n\nb',
      html: '<b>b</b>',
      replyTo: 'desk@example.com',
    })
  })
  await t.test('may be text alone, or HTML alone', async t => {
    const compose = (data: MessageData['system']) => composeMessage('system', data, reader)
    t.match(compose({ subject: 'Disk', text: 'full' }), { text: 'full', html: null, replyTo: null })
    t.match(compose({ subject: 'Disk', html: '<b>full</b>' }), { text: '', html: '<b>full</b>' })
  })
})

t.test('an event is its payload', async t => {
  const composed = composeMessage(
    'user.login',
    { payload: { user_id: 'x' } },
    { channel: 'event', personName: null, language: null },
  )
  t.match(composed, { payload: { user_id: 'x' }, subject: '', text: '', html: null })
})
