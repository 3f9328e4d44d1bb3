/** What the API reference says before its operations, and how it groups them: by what somebody wants to do, first things first. */
export const description = `Tenants, people, roles and permissions. Who may do what is read from the database at each call: a role that is taken away stops working at once. Each change writes its audit event in the same transaction.

**Begin here:** sign in at the issuer (\`POST /api/v1/tokens\`, port 4000 of a plain start), paste the \`access_token\` into *Authorize*, and \`GET /admin/v1/users\` lists the people of your company. The guides are in \`apps/admin-api/docs\`.

Lists come in pages: send \`next_cursor\` as \`cursor\` for the next one. What is read carries an \`ETag\`: sent back in \`If-Match\`, it lets a change through only if nobody else made one meanwhile. A request that creates something may carry an \`Idempotency-Key\`, so that sending it again makes nothing twice.`

export const tags = [
  { name: 'Setup', description: 'Once: the first tenant and its administrator. `pnpm start` has done it.' },
  {
    name: 'Users',
    description: 'People at home in this tenant: create, change, suspend, sign out. Guide: `people.md`.',
  },
  {
    name: 'Import and export',
    description: 'Bring people in from a file, with their password hashes. Guide: `import.md`.',
  },
  {
    name: 'Memberships',
    description: 'Who works in this tenant, guests of other tenants among them: invite somebody, then give them roles.',
  },
  {
    name: 'Roles',
    description: 'Put permissions into a role, then give the role to a person (`/users/{id}/roles`) or a member.',
  },
  { name: 'Permissions', description: 'The catalogue of what roles can hold; services add what they ask for.' },
  {
    name: 'Policies',
    description:
      'Where a role is too coarse: under which conditions, and never. Validate, create, attach to a person or a role. Guide: `policies.md`.',
  },
  {
    name: 'Decisions',
    description:
      'Who may do what, and why (OpenID AuthZEN); who would gain and lose by a change. Guide: `decisions.md`.',
  },
  { name: 'Units', description: 'The tree of a company. Guide: `structure.md`.' },
  { name: 'Positions', description: 'What people are in a unit, and who holds which. Guide: `structure.md`.' },
  { name: 'Customers and subcontractors', description: 'Those a company works with, who do not sign in.' },
  {
    name: 'Clients',
    description: 'Business accounts that sign in and manage sub-clients of their own. Guide: `people.md`.',
  },
  { name: 'Sub-clients', description: 'Business accounts below a client; a client sees and changes its own alone.' },
  { name: 'Advisors', description: 'Assign clients to an advisor, who then acts for them. Guide: `advisors.md`.' },
  { name: 'Brands', description: 'What clients see in the place of ours: make a brand, then let advisors carry it.' },
  { name: 'Images', description: 'Pictures of people, logos of tenants. Guide: `images.md`.' },
  {
    name: 'Tenants',
    description: 'Companies of this installation: made by the platform, changed by their own administrators.',
  },
  {
    name: 'Services',
    description: 'What stands behind the gateway: register, issue a key, read the map. Guide: `gateway.md`.',
  },
  { name: 'Audit', description: 'Who did what to whom, when and from where. Guide: `audit.md`.' },
  {
    name: 'Operations',
    description:
      'For probes: restart what fails `/livez`, send nothing to what fails `/readyz`. For operators: `/config`.',
  },
]
