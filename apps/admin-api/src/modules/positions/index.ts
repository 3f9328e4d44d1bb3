export { findPosition, lockPosition } from './repo.ts'
export { servePositions } from './routes.ts'
export { PositionParams } from './schema.ts'
