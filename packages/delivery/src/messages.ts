/** What each message is made of. The words are put together when it is sent, in the language of its person. */

export interface MessageData {
  /** `minutes` is how long the code lives. */
  readonly 'sign-in-code': { readonly code: string; readonly minutes: number }
  readonly 'contact-code': { readonly code: string; readonly minutes: number }
  readonly 'password-reset-code': { readonly code: string; readonly minutes: number }
  readonly 'password-changed': Record<string, never>
  /** To the old address. `contact` is the new one, shortened so that it is known by whoever has chosen it. */
  readonly 'contact-changed': { readonly contact: string }
  /** Too many failures in a row: this way in is closed for devices that have never signed in. */
  readonly 'way-in-locked': { readonly wayIn: 'password' | 'refresh-key' | 'code' | 'password-reset' }
  /** An advisor opens a door for a client. */
  readonly 'client-access': {
    readonly token: string
    readonly advisor: string
    readonly purpose: string
    readonly minutes: number
  }
  readonly invitation: {
    readonly token: string
    readonly advisor: string
    readonly purpose: string
    readonly days: number
  }
  /** In the words of another service of ours. */
  readonly system: {
    readonly subject: string
    readonly text?: string
    readonly html?: string
    readonly replyTo?: string
  }
  readonly 'user.created': { readonly payload: Readonly<Record<string, unknown>> }
  readonly 'user.login': { readonly payload: Readonly<Record<string, unknown>> }
  readonly 'client.token.requested': { readonly payload: Readonly<Record<string, unknown>> }
}

export type TemplateName = keyof MessageData
