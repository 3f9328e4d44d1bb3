export { startCollector } from './collector.ts'
export { serveImages } from './routes.ts'
