export { findOrgUnit, isWithin, type OrgUnit } from './repo.ts'
export { serveOrgUnits } from './routes.ts'
export { changeOrgUnit, createOrgUnit, listChildren, listOrgUnits, readOrgUnit, removeOrgUnit } from './service.ts'
export { NewOrgUnit, OrgUnitParams } from './schema.ts'
