export { createOutbox, type NewMessage, type Outbox, type SealedMessage } from './outbox.ts'
export type { MessageData, TemplateName } from './messages.ts'
export { type Outgoing, PermanentFailure, type Transport } from './transport.ts'
