export { startBundled } from './start-bundled.ts'
