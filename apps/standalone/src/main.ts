import { startBundled } from '@signet/bundle'

await startBundled(new URL('program.ts', import.meta.url).href)
