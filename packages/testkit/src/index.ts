export { type TestDatabase, type TestScope, testDatabase } from './database.ts'
