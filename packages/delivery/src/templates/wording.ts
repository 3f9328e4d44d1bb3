import type { MessageData, TemplateName } from '../messages.ts'

/** What is written in our own words, in each language. */
export type WrittenTemplate = Exclude<TemplateName, 'system' | 'user.created' | 'user.login' | 'client.token.requested'>

export interface Words {
  /** Says what it is about, and nothing that is secret. */
  readonly subject: string
  readonly paragraphs: readonly Paragraph[]
  /** The whole of it as a text message. */
  readonly short: string
  /** What differs between two messages of the template, in the order in which `short` says it. */
  readonly variables: readonly string[]
}

/** `code` stands alone, in large letters. */
export type Paragraph = string | { readonly code: string }

export type Wording = { readonly [T in WrittenTemplate]: (data: MessageData[T]) => Words } & {
  /** @param name null where nobody is known */
  readonly greeting: (name: string | null) => string
}
