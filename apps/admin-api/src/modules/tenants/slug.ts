import { problem } from '@signet/kernel'

/** A slug out of a name: `Müller & Söhne` becomes `muller-sohne`. @throws Problem `invalid-input` when nothing is left */
export function slugOf(name: string, pointer: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  if (slug !== '') return slug
  const message = 'is required: the name has no letter from a to z and no digit to make one of'
  throw problem('invalid-input', undefined, { errors: [{ pointer, message }] })
}
