export { findOrgUnit, isWithin } from './repo.ts'
export { serveOrgUnits } from './routes.ts'
export { OrgUnitParams } from './schema.ts'
