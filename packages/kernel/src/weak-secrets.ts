/** What a stranger can guess is no secret: where people are served, the start is refused. */

const fewestLetters = 24
const fewestDifferentLetters = 10

/** The fault of a secret that stands in the settings, or nothing where it is strong enough for the environment. */
export function findWeakSecret(name: string, secret: string | undefined, environment: string): string[] {
  const isServed = environment === 'staging' || environment === 'production'
  if (!isServed || secret === undefined) return []
  if (secret.length >= fewestLetters && new Set(secret).size >= fewestDifferentLetters) return []
  return [
    `${name} can be guessed: in ${environment} it needs ${fewestLetters} random characters. Make one with: openssl rand -hex 24`,
  ]
}
