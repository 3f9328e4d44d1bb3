export { serveStatusLists } from './routes.ts'
export { createStatusLists } from './service.ts'
