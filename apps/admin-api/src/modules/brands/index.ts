export { serveBrands } from './routes.ts'
