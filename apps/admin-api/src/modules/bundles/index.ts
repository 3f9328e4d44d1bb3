export { type Holding, listHoldings, type StatementOrigin } from './holdings.ts'
export { findSubjects, type LoadedBundle } from './repo.ts'
export { withBundle } from './service.ts'
