export { holdsText, listRows, patternFor, sortText } from './repo.ts'
export { listQuery, SearchText } from './schema.ts'
