// `pnpm diagnose`: what is wrong with an installation, and what to do about it.
import { parseArgs } from 'node:util'

const help = `Usage: pnpm diagnose [--json]

Looks at the installation that the settings describe, whether it runs or not, and says one line a check: ok, warning or FAIL,
and what to do. It changes nothing and sends nothing. Exit code 1 when something fails.

  --json   the same for programs: [{ "check", "state", "says", "remedy" }]
  --help   this text
`

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let isJson: boolean
  try {
    const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help === true) {
      process.stdout.write(help)
      return 0
    }
    isJson = values.json === true
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${help}`)
    return 2
  }
  // Whoever mistypes hears of it at once: what looks at an installation takes a second to load.
  const { loadEnvironment } = await import('@signet/http/environment')
  const { diagnose, render } = await import('./diagnose/diagnose.ts')
  const findings = await diagnose(() => loadEnvironment())
  process.stdout.write(isJson ? `${JSON.stringify(findings, null, 2)}\n` : render(findings))
  return findings.some(({ state }) => state === 'FAIL') ? 1 : 0
}
