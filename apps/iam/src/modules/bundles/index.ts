export { serveBundles } from './routes.ts'
export { createBundles } from './service.ts'
