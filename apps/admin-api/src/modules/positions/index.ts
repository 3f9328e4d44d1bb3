export { findPosition, lockPosition, type Position } from './repo.ts'
export { servePositions } from './routes.ts'
export {
  changePosition,
  createPosition,
  listPositions,
  listPositionsOf,
  readPosition,
  removePosition,
} from './service.ts'
export { NewPosition, PositionParams } from './schema.ts'
