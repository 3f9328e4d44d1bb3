export { runKeysCommand } from './command.ts'
export type { KeyFolder } from './key-administration.ts'
export { KeyFolderError } from './key-files.ts'
export { openSigningKeys, type SigningKeys } from './signing-keys.ts'
