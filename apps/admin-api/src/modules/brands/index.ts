export { findBrandAnywhere } from './repo.ts'
export { BrandView } from './schema.ts'
export { serveBrands } from './routes.ts'
