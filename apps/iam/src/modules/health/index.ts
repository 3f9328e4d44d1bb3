export { createOutboxCheck } from './parts.ts'
export { askDatabase } from './repo.ts'
export { serveHealthcheck } from './routes.ts'
