export { serveDirectory } from './routes.ts'
export { NewSubcontractor } from './schema.ts'
export {
  changeEntry,
  createEntry,
  customers,
  type Directory,
  type Entry,
  listEntries,
  readEntry,
  removeEntry,
  subcontractors,
} from './service.ts'
