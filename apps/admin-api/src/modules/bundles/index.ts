export { type Holding, listHoldings, type StatementOrigin } from './holdings.ts'
export { findSubjects, type LoadedBundle } from './repo.ts'
export { holdBundle, withBundle } from './service.ts'
