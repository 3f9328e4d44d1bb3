export { createTestCast, type TestActor, type TestCast, type TestPerson } from './actors.ts'
export { logStream, plantCanary, plantSecretsOf, plantSecretsOfExchange, testLogger } from './canaries.ts'
export { type ApiReference, checkApiReference, listMissing } from './api-reference.ts'
export { type TestDatabase, type TestScope, testDatabase } from './database.ts'
