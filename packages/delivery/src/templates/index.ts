/**
 * Puts a message together when it is sent, in the language of its person. What people have chosen (names, purposes) is one line
 * wherever it stands, so that it can add neither a header nor a paragraph of its own (THREATS I-06).
 */
import type { MessageData, TemplateName } from '../messages.ts'
import type { Channel, Outgoing } from '../transport.ts'
import { english } from './english.ts'
import { french } from './french.ts'
import { layHtml, layText } from './layout.ts'
import type { Wording, Words, WrittenTemplate } from './wording.ts'

export interface Reader {
  readonly channel: Channel
  readonly personName: string | null
  /** English where nobody is known. */
  readonly language: 'en' | 'fr' | null
}

type Composed = Omit<Outgoing, 'id' | 'to' | 'userId' | 'template' | 'createdAt'>

const wordings: Readonly<Record<'en' | 'fr', Wording>> = { en: english, fr: french }

/** @param data what was enqueued for `template`, as JSON gives it back */
export function composeMessage(template: TemplateName, data: unknown, reader: Reader): Composed {
  const { channel, personName, language } = reader
  const empty = { channel, subject: '', text: '', html: null, replyTo: null, variables: [], payload: null }
  if (channel === 'event') return { ...empty, payload: (data as MessageData['user.created']).payload }
  if (template === 'system') return { ...empty, ...composeOwnWords(data as MessageData['system']) }

  const spoken = language ?? 'en'
  const wording = wordings[spoken]
  const write = wording[template as WrittenTemplate] as (given: unknown) => Words
  const { subject, paragraphs, short, variables } = write(flatten(data))
  if (channel === 'sms') return { ...empty, text: short, variables }
  const greeting = wording.greeting(presentable(personName))
  const text = layText(greeting, paragraphs)
  return { ...empty, subject, text, html: layHtml(spoken, greeting, paragraphs), variables }
}

function composeOwnWords({ subject, text, html, replyTo }: MessageData['system']) {
  const reply = replyTo === undefined ? null : oneLine(replyTo)
  return { subject: oneLine(subject), text: text ?? '', html: html ?? null, replyTo: reply }
}

function flatten(data: unknown): unknown {
  const members = Object.entries(data as object)
  return Object.fromEntries(members.map(([name, value]) => [name, typeof value === 'string' ? oneLine(value) : value]))
}

/** Line breaks, other control characters and those that turn the direction of writing become one space. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
}

const longestName = 80

/**
 * Nobody knows who has entered a name beside an address that is not verified yet: one that a mail program would turn into a
 * link is left out, or our mail would carry it.
 */
function presentable(name: string | null): string | null {
  const line = oneLine(name ?? '')
  return line === '' || line.length > longestName || /[/@:\\]|\w\.\p{L}{2,}/u.test(line) ? null : line
}
