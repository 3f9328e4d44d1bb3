export { buildApp } from './app.ts'
export type { Deps, TokenSettings } from './deps.ts'
export { inspectKeys, KeyFolderError } from './modules/keys/index.ts'
export { type IamOptions, startIam } from './start-iam.ts'
