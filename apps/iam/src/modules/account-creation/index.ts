export { createAccount, type NewAccount } from './service.ts'
