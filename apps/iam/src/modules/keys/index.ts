export { type CommandResult, runKeysCommand } from './command.ts'
export type { KeyFolder } from './key-administration.ts'
export { KeyFolderError } from './key-files.ts'
export { type KeySet, openSigningKeys, type PublishedJwk, type SigningKeys } from './signing-keys.ts'
