/**
 * What to paste first: it signs in, is let in, is refused with a reason, and changes something. One source for the text
 * that a start prints, and for the demonstration and the tests that run it.
 */
import type { Addresses } from './addresses.ts'

export interface TourStep {
  readonly title: string
  /** Lines for sh, each complete. */
  readonly lines: readonly string[]
  /** The status that each line which prints one ends with. */
  readonly answers: readonly number[]
}

const asJson = "-H 'content-type: application/json'"
const showStatus = "-s -w '\\n%{http_code}\\n'"
const takeToken = `sed -n 's/.*"access_token":"\\([^"]*\\)".*/\\1/p'`
/** Printed for all to see: nobody else has it, or it would be found in the log of every start. */
const guestPassword = 'copper lantern walk 31'

export function planTour({ iam, admin, places }: Addresses, adminFile: string): readonly TourStep[] {
  const readAdmin = 'const { email, password } = require(process.argv[1]); JSON.stringify({ email, password })'
  const signIn = `curl -s ${asJson} -d @- ${iam}/api/v1/tokens | ${takeToken}`
  const guest = `"{\\"email\\":\\"$GUEST\\",\\"password\\":\\"${guestPassword}\\"}"`
  const role = `"{\\"name\\":\\"reader-$(date +%s)\\",\\"permissions\\":[\\"places:read\\"]}"`
  return [
    {
      title: 'Sign in as the administrator',
      lines: [
        `TOKEN=$(node -p '${readAdmin}' ${quote(adminFile)} | ${signIn})`,
        `echo "a token of \${#TOKEN} characters"`,
      ],
      answers: [],
    },
    {
      title: 'Places, with the token: 200',
      lines: [`curl ${showStatus} -H "authorization: Bearer $TOKEN" '${places}/places?kind=swap_station&limit=1'`],
      answers: [200],
    },
    {
      title: 'Places, as a new person without the permission: 403, and why',
      lines: [
        'GUEST=guest-$(date +%s)@example.com',
        `curl ${showStatus} ${asJson} -d ${guest} ${iam}/api/v1/users`,
        `GUEST_TOKEN=$(echo ${guest} | ${signIn})`,
        `curl ${showStatus} -H "authorization: Bearer $GUEST_TOKEN" ${places}/places`,
      ],
      answers: [201, 403],
    },
    {
      title: 'Create a role: 201',
      lines: [`curl ${showStatus} -H "authorization: Bearer $TOKEN" ${asJson} -d ${role} ${admin}/admin/v1/roles`],
      answers: [201],
    },
  ]
}

/** Every line can be pasted into sh: the titles are echoed, as not every shell reads comments at its prompt. */
export function renderTour(tour: readonly TourStep[]): string {
  return tour.map(({ title, lines }, index) => [`echo '${index + 1}. ${title}'`, ...lines].join('\n')).join('\n')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
