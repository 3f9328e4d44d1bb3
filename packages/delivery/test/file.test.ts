import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MessageId, newId } from '@signet/kernel'
import t from 'tap'
import type { Outgoing } from '../src/transport.ts'
import { createFileTransport } from '../src/transports/file.ts'

const home = await mkdtemp(join(tmpdir(), 'signet-outbox-'))
t.teardown(() => rm(home, { recursive: true, force: true }))
const never = new AbortController().signal

const message: Outgoing = {
  id: newId<MessageId>(),
  channel: 'email',
  userId: null,
  to: 'ada@example.com',
  template: 'sign-in-code',
  subject: 'Your code to sign in',
  text: '407193',
  html: '<p>407193</p>',
  replyTo: null,
  variables: ['407193', '10'],
  payload: null,
  createdAt: new Date('2026-11-20T10:00:00Z'),
}

t.test('a message as a file', async t => {
  const folder = join(home, 'new', 'outbox')
  const transport = createFileTransport(folder)
  await transport.send(message, never)
  await t.test('holds what it says and to whom', async t => {
    t.same(JSON.parse(await readFile(join(folder, `${message.id}.json`), 'utf8')), {
      id: message.id,
      channel: 'email',
      to: 'ada@example.com',
      subject: 'Your code to sign in',
      text: '407193',
      html: '<p>407193</p>',
      created_at: '2026-11-20T10:00:00.000Z',
    })
  })
  await t.test('is read by its owner alone', { skip: process.platform === 'win32' }, async t => {
    t.equal((await stat(join(folder, `${message.id}.json`))).mode & 0o777, 0o600)
    t.equal((await stat(folder)).mode & 0o777, 0o700)
  })
  await t.test('is one file, however often it is sent', async t => {
    await transport.send(message, never)
    t.same(await readdir(folder), [`${message.id}.json`])
  })
  await t.test('may be a text message', async t => {
    const id = newId<MessageId>()
    await transport.send({ ...message, id, channel: 'sms', to: '+14155552671', subject: '', html: null }, never)
    t.match(JSON.parse(await readFile(join(folder, `${id}.json`), 'utf8')), { channel: 'sms', to: '+14155552671' })
  })
})

t.test('what cannot be written says why', async t => {
  const folder = join(home, 'taken')
  await writeFile(folder, 'a file')
  await t.rejects(createFileTransport(folder).send(message, never), /^The message could not be written \(E[A-Z]+\)\.$/)
})
