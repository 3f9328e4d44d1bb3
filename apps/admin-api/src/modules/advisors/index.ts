export { findAdvisor } from './repo.ts'
export { serveAdvisors } from './routes.ts'
