export { servePassword } from './routes.ts'
