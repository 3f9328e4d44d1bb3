/** What the API reference says before its operations, and how it groups them: by what somebody wants to do, first things first. */
export const description = `Accounts, sign-in, sessions and tokens. Access tokens are JWTs (RFC 9068) that any service verifies offline with the published keys.

**Begin here:** \`POST /api/v1/users\` makes an account, \`POST /api/v1/tokens\` signs in; paste its \`access_token\` into *Authorize*, and \`GET /api/v1/me\` says who you are. The guide is \`apps/iam/docs/ways-in.md\`.`

export const tags = [
  {
    name: 'Sign in',
    description:
      'An account, then tokens: send `access_token` as `Authorization: Bearer …`, keep `refresh_token` for when it expires.',
  },
  {
    name: 'Sign in with a code',
    description: 'Without a password: first ask for a code by e-mail or SMS, then send it back.',
  },
  {
    name: 'Stay signed in and sign out',
    description:
      'Refresh before the access token expires, always with the newest refresh token. Sign out here, or on other devices.',
  },
  { name: 'Your own account', description: 'Who I am, my name, my password, and the addresses where I am reached.' },
  { name: 'Lost passwords', description: 'Ask for a code by e-mail, then send it with the new password.' },
  {
    name: 'Refresh keys',
    description: 'For programs that cannot read mail: set a long-lived secret once, then sign in with it.',
  },
  {
    name: 'Other tenants',
    description: 'Accept an invitation to another company, then get tokens that act there.',
  },
  {
    name: 'Advisors',
    description:
      'An advisor makes a token for a client, the client redeems it once. `apps/admin-api/docs/advisors.md` says who advises whom.',
  },
  {
    name: 'Keys and metadata',
    description: 'What verifies a token. Nobody calls this by hand where `@signet/verifier` is used: it does.',
  },
  {
    name: 'Revocations and bundles',
    description:
      'Which sessions have ended and what roles and policies say, for services. `@signet/verifier` asks here too.',
  },
  { name: 'Services', description: 'For other services of the installation, which show a service key as `x-api-key`.' },
  { name: 'Operations', description: 'For probes: restart what fails `/livez`, send nothing to what fails `/readyz`.' },
]
