/** What the settings of images mean together, and what is missing among them. */
import { join } from 'node:path'
import { imageStorage, integer, origin, type Setting, type SettingsOf, text } from '@signet/kernel'
import type { StorageSettings } from './storage/open-storage.ts'

export const imageSettings = {
  SIGNET_HOME: text('.signet'),
  STORAGE: imageStorage(),
  S3_ENDPOINT: origin(undefined),
  S3_BUCKET: text(undefined),
  S3_REGION: text(undefined),
  S3_ACCESS_KEY_ID: text(undefined),
  S3_SECRET_ACCESS_KEY: text(undefined),
  MAX_AVATAR_SIZE_MB: integer(5, [1, 50]),
} satisfies Record<string, Setting<unknown>>

export type ImageConfig = SettingsOf<typeof imageSettings>

/** The settings are worth something only where there are no faults. */
export function readStorage(config: ImageConfig): { settings: StorageSettings; faults: readonly string[] } {
  if (config.STORAGE === 'off') return { settings: { by: 'off' }, faults: [] }
  if (config.STORAGE === 'file')
    return { settings: { by: 'file', folder: join(config.SIGNET_HOME, 'images') }, faults: [] }
  const faults: string[] = []
  const need = (name: keyof ImageConfig): string => {
    const value = config[name]
    if (value === undefined) faults.push(`${name} is missing: STORAGE=s3 needs it.`)
    return String(value ?? '')
  }
  const settings = {
    by: 's3',
    endpoint: need('S3_ENDPOINT'),
    bucket: need('S3_BUCKET'),
    region: need('S3_REGION'),
    accessKeyId: need('S3_ACCESS_KEY_ID'),
    secretAccessKey: need('S3_SECRET_ACCESS_KEY'),
  } as const
  // It becomes part of a path.
  if (settings.bucket !== '' && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(settings.bucket))
    faults.push('S3_BUCKET has to be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens.')
  return { settings, faults }
}
