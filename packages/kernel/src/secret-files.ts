import { secretSettingNames } from './setting-names.ts'
import { type Environment, SettingsError } from './settings.ts'

/**
 * The environment, with each secret in it that a file holds: `MAIL_PASSWORD_FILE=/run/secrets/mail` is `MAIL_PASSWORD`.
 * @param readFile the text of a file; it throws where there is none
 * @throws SettingsError with every file that cannot be read or is empty, and every secret that is given twice
 */
export function readSecretFiles(environment: Environment, readFile: (path: string) => string): Environment {
  const faults: string[] = []
  const secrets: Record<string, string> = {}
  for (const name of secretSettingNames) {
    const path = environment[`${name}_FILE`] ?? ''
    if (path === '') continue
    // Editors and `echo` end a file with a line break, which belongs to no secret.
    const text = readText(readFile, path).replace(/\r?\n$/, '')
    const given = environment[name] ?? ''
    if (text === '') faults.push(`${name}_FILE names a file that cannot be read or is empty: ${path}`)
    else if (given !== '' && given !== text)
      faults.push(`${name} and ${name}_FILE are the same setting with different values: keep one.`)
    else secrets[name] = text
  }
  if (faults.length > 0) throw new SettingsError(faults)
  return { ...environment, ...secrets }
}

function readText(readFile: (path: string) => string, path: string): string {
  try {
    return readFile(path)
  } catch {
    return ''
  }
}
