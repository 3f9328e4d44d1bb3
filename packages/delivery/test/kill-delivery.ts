/**
 * Sends mails through a worker in a process of its own, which is killed over and over at different moments of a delivery, and
 * counts what arrives at a real SMTP server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Database } from '@signet/db'
import { listMessages } from '../src/outbox-repo.ts'
import type { WorkerTiming } from '../src/worker.ts'
import type { DelivererArgument } from './fixtures/deliverer.ts'
import { openSmtpSink } from './smtp-sink.ts'
import { createScene, until } from './test-outbox.ts'

export interface KillOptions {
  /** The programs' login: what the worker connects with. Nothing else may wait in the outbox. */
  readonly databaseUrl: string
  /** The same database, to enqueue and to look. */
  readonly database: Database
  /** At least four a kill. */
  readonly messages: number
  readonly kills: number
}

export interface KillResult {
  /** How often the worker was killed while it had something to do. */
  readonly kills: number
  /** Recipients whom nothing reached. */
  readonly lost: number
  /** Mails that arrived beyond the first of their recipient. */
  readonly repeated: number
  /** Repeated mails with another Message-ID than the first. */
  readonly otherIds: number
}

// A slow machine ends no attempt: a repetition then has a kill for its cause, or is a fault.
const timing: WorkerTiming = { pollMs: 10, sendTimeoutMs: 4_000, leaseMs: 5_000, graceMs: 1_000 }

const program = fileURLToPath(new URL('fixtures/deliverer.ts', import.meta.url))

/** Where a delivery may be when its worker dies; the last is at any time soon after. */
const moments = ['connected', 'named', 'taken', 'soon'] as const
const soonMs = 15

export async function killDelivery({ databaseUrl, database, messages, kills }: KillOptions): Promise<KillResult> {
  const scene = await createScene(database)
  for (let count = 0; count < messages; count += 1) await scene.send({ recipient: `${count}@example.com` })

  let killed = 0
  let patience = 0
  let child: ChildProcess | undefined
  const kill = (victim = child) => {
    if (victim === undefined || victim !== child || victim.killed || killed === kills) return
    victim.kill('SIGKILL')
    killed += 1
  }
  const reach = (moment: (typeof moments)[number]) => {
    if (killed === kills || moments[killed % moments.length] !== moment) return
    // It connects once and is rarely asked for more: the other moments come with each mail, and not always the first.
    if (moment !== 'connected' && (patience -= 1) > 0) return
    const victim = child
    if (moment === 'soon') setTimeout(() => kill(victim), Math.random() * soonMs)
    else kill(victim)
  }
  const sink = await openSmtpSink({
    disabledCommands: ['STARTTLS'],
    onConnect: (_session, callback) => {
      reach('connected')
      callback()
    },
    onRcptTo: (_address, _session, callback) => {
      reach('named')
      callback()
    },
    refuse: () => {
      reach('taken')
      reach('soon')
      return null
    },
  })
  const sender = 'signet@signet.example'
  const argument: DelivererArgument = {
    databaseUrl,
    key: scene.key.toString('hex'),
    smtpPort: sink.port,
    sender,
    timing,
  }
  try {
    for (;;) {
      patience = 1 + Math.floor(Math.random() * 3)
      const running = spawn(process.execPath, [program, JSON.stringify(argument)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child = running
      const ended = once(running, 'exit')
      const hasEnded = () => running.exitCode !== null || running.signalCode !== null
      let waiting = messages
      await until(async () => {
        waiting = (await listMessages(database, ['queued', 'sending'], 1)).length
        return waiting === 0 || hasEnded()
      })
      if (waiting === 0) running.kill('SIGTERM')
      await ended
      if (waiting === 0) break
      if (!running.killed) throw new Error(`The worker ended by itself, with ${running.exitCode}.`)
    }
  } finally {
    child?.kill('SIGKILL')
    await sink.close()
  }

  const idsByRecipient = new Map<string, string[]>()
  for (const { to, headers } of sink.received) {
    for (const each of to) {
      idsByRecipient.set(each, [...(idsByRecipient.get(each) ?? []), headers.get('message-id')?.[0] ?? 'none'])
    }
  }
  const all = [...idsByRecipient.values()]
  return {
    kills: killed,
    lost: messages - all.length,
    repeated: all.reduce((sum, ids) => sum + ids.length - 1, 0),
    otherIds: all.reduce((sum, ids) => sum + new Set(ids).size - 1, 0),
  }
}
