export { findSubjects, type LoadedBundle } from './repo.ts'
export { withBundle } from './service.ts'
