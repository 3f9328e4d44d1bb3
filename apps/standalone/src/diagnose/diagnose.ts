/** Looks at an installation, running or not, and changes nothing in it. Every check says its line, whatever the others say. */
import { SettingsError } from '@signet/kernel'
import { readConfig, type StandaloneConfig } from '../config.ts'
import { diagnoseDatabase } from './database.ts'
import { createCheck, type Finding } from './finding.ts'
import { diagnoseKeys } from './keys.ts'
import { diagnoseDisk, diagnoseIssuer, diagnoseNode, diagnosePorts } from './machine.ts'
import { diagnoseMail, diagnoseRedis, diagnoseSms } from './services.ts'

const settings = createCheck('settings')

/** @param read gives the environment, or throws a SettingsError */
export async function diagnose(read: () => Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const node = diagnoseNode(process.versions.node)
  let config: StandaloneConfig
  try {
    config = readConfig(read())
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    // What is wrong with a setting is said with what mends it.
    const faults = error.faults.map(fault => settings.fail(fault, 'The rest is looked at once the settings are right'))
    return [node, ...faults]
  }
  const rest = await Promise.all([
    diagnoseDatabase(config),
    diagnoseKeys(config),
    diagnoseRedis(config),
    diagnoseMail(config),
    diagnosePorts(config),
    diagnoseIssuer(config),
    diagnoseDisk(config),
  ])
  return [node, settings.ok(`can be read, for ${config.SIGNET_ENV}`), ...rest.flat(), diagnoseSms(config)]
}

/** One line each. What comes from elsewhere moves no cursor of the operator's terminal. */
export function render(findings: readonly Finding[]): string {
  const lines = findings.map(({ check, state, says, remedy }) => {
    const text = remedy === undefined ? says : `${says.replace(/\.$/, '')}. ${remedy}.`
    return `${state.padEnd(7)}  ${check.padEnd(10)}  ${text}`.replaceAll(/\p{C}+/gu, ' ')
  })
  return `${lines.join('\n')}\n`
}
