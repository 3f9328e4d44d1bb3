import t from 'tap'
import type { MessageId } from '@signet/kernel'
import { measureOutbox, runOutboxCommand } from '../src/index.ts'
import { claimMessage, settleMessage } from '../src/outbox-repo.ts'
import { codeData, testOutbox } from './test-outbox.ts'

const { test, send, find, age, tenantId } = await testOutbox(t)
const run = (...words: string[]) => runOutboxCommand(async () => test.db, words)

async function giveUp(recipient: string): Promise<MessageId> {
  const id = await send({ recipient })
  const message = await claimMessage(test.db, 'email', 60_000)
  if (message?.id !== id) throw new Error('Another message was due.')
  await settleMessage(test.db, message, { kind: 'dead', error: 'SMTP 550 5.1.1 (EENVELOPE)' })
  return id
}

t.test('pnpm outbox', async t => {
  await t.test('says that there is nothing', async t => {
    t.same(await run(), { text: 'Nothing waits, and nothing was given up.\n', exitCode: 0 })
  })
  const dead = await giveUp('gone@example.com')
  const hostile = await giveUp('a\u001b[2J@example.com')
  const queued = await send({ recipient: 'ada@example.com' })
  await t.test('lists what waits and what was given up, in columns, and never what it says', async t => {
    const { text, exitCode } = await run('list')
    t.equal(exitCode, 0)
    const [head = '', ...rows] = text.trimEnd().split('\n')
    t.match(head, /^ID +STATE +CHANNEL +MESSAGE +TO +TENANT +TRIES +MADE +NEXT TRY +LAST FAILURE$/)
    t.equal(rows.length, 3)
    t.match(rows[0], new RegExp(`^${queued} +queued +email +sign-in-code +ada@example\\.com +acme-`))
    t.match(
      rows[2],
      new RegExp(`^${dead} +dead +email +sign-in-code +gone@example\\.com +.* SMTP 550 5\\.1\\.1 \\(EENVELOPE\\)$`),
    )
    t.equal(rows[0]?.indexOf('queued'), head.indexOf('STATE'))
    t.notMatch(text, codeData.code)
    t.notMatch(text, '\u001b', 'a recipient moves no cursor')
    t.notMatch(text, tenantId)
  })
  await t.test('counts what it lists, and how long the oldest waits', async t => {
    await age(queued, 2)
    const [email, ...others] = (await measureOutbox(test.db)).toSorted((a, b) => a.channel.localeCompare(b.channel))
    t.match(email, { channel: 'email', waiting: 1, dead: 2 })
    t.ok(Math.abs((email?.oldestSeconds ?? 0) - 7_200) < 60, String(email?.oldestSeconds))
    const nothing = { waiting: 0, oldestSeconds: 0, dead: 0 }
    t.same(others, [
      { channel: 'event', ...nothing },
      { channel: 'sms', ...nothing },
    ])
  })
  await t.test('lists either alone', async t => {
    const ids = async (...words: string[]) =>
      (await run(...words)).text
        .split('\n')
        .slice(1, -1)
        .map(line => line.slice(0, 36))
    t.same(await ids('list', '--dead'), [hostile, dead])
    t.same(await ids('list', '--queued'), [queued])
    t.equal((await ids('list', '--queued', '--dead')).length, 3)
  })
  await t.test('queues one again', async t => {
    t.same(await run('retry', dead), { text: `Queued ${dead}\n`, exitCode: 0 })
    t.match(await find(dead), { status: 'queued', attempts: 0, hasPayload: true, isDue: true })
    t.match(await run('retry', dead), { text: /^No message .* was given up/, exitCode: 1 })
    t.match(await run('retry', queued), { exitCode: 1 })
  })
  await t.test('queues all of them again', async t => {
    t.same(await run('retry', '--dead'), { text: 'Queued 1 message\n', exitCode: 0 })
    t.same(await run('retry', '--dead'), { text: 'Queued 0 messages\n', exitCode: 0 })
    t.match(await find(hostile), { status: 'queued' })
  })
  await t.test('explains itself, and what it has not understood', async t => {
    t.match(await run('--help'), { text: /^Usage: pnpm outbox/, exitCode: 0 })
    for (const words of [
      ['sweep'],
      ['retry'],
      ['retry', dead, queued],
      ['retry', '--dead', dead],
      ['retry', '--queued'],
      ['retry', 'x'],
      ['list', 'x'],
      ['--loud'],
    ]) {
      t.match(await run(...words), { text: /Usage: pnpm outbox/, exitCode: 2 }, words.join(' '))
    }
  })
})
