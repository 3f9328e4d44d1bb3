export { type FirstAdmin, readFirstAdmin } from './credentials-file.ts'
export { ensureFirstAdmin } from './service.ts'
