export { startCollector } from './collector.ts'
export { avatarOf, type ImageOwner, logoOf } from './owners.ts'
export { serveImages } from './routes.ts'
export { putImage, readImage, removeImage } from './service.ts'
