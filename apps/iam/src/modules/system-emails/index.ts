export { serveSystemEmails } from './routes.ts'
