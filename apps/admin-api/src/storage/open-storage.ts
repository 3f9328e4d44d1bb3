import { createFileStorage } from './file-storage.ts'
import type { S3Options } from './s3-storage.ts'
import type { ImageStorage } from './storage.ts'

export type StorageSettings =
  | { readonly by: 'off' }
  | { readonly by: 'file'; readonly folder: string }
  | ({ readonly by: 's3' } & S3Options)

/** Undefined where images are switched off. Loads what is used, and connects to nothing yet. */
export async function openStorage(settings: StorageSettings): Promise<ImageStorage | undefined> {
  if (settings.by === 'off') return undefined
  if (settings.by === 'file') return createFileStorage(settings.folder)
  return (await import('./s3-storage.ts')).createS3Storage(settings)
}
