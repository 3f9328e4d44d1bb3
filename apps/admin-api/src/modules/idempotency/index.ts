export { type Answer, IdempotencyHeader, makeOnce, type Once, onceOf, onceProblems } from './service.ts'
