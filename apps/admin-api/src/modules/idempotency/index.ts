export { type Answer, IdempotencyHeader, makeOnce, type Once, onceOf } from './service.ts'
