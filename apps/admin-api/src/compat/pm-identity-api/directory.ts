import { type App, IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import {
  changeEntry,
  createEntry,
  customers,
  type Directory,
  type Entry,
  listEntries,
  NewSubcontractor,
  readEntry,
  removeEntry,
  subcontractors,
} from '../../modules/directory/index.ts'
import { assertOwnCompany, CompanyRef, looseMembers, withoutNulls } from './bodies.ts'
import { eachTime } from './lists.ts'
import { serveResource } from './resource.ts'

const { name, phone, email, contact_person, address, description } = NewSubcontractor.properties
const contact = looseMembers({ email, contact_person, phone_number: phone, address })
const described = looseMembers({ description })
const whole = { ...contact, ...described, ...CompanyRef }
const NewEntry = Type.Object({ name, ...whole })
const EntryChange = Type.Object({ ...looseMembers({ name }), ...whole })

const Text = (example: string) => nullable(Type.String({ examples: [example] }))
const EntryView = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['Rivière Transports'] }),
  description: Type.Optional(Type.String({ examples: ['Installs charging stations'] })),
  email: Text('contact@riviere.example'),
  contact_person: Text('Jeanne Rivière'),
  phone_number: Text('+33 1 23 45 67 89'),
  address: Text('1 rue de la Paix'),
  company_id: IdText,
  created_at: Moment,
  updated_at: Moment,
})

export function serveDirectory(scope: App, deps: Deps): void {
  for (const directory of [customers, subcontractors]) serveEntries(scope, deps, directory)
}

/** Only subcontractors have a description: to a customer it is a member that nobody knows. */
function serveEntries(scope: App, deps: Deps, directory: Directory): void {
  const hasDescription = directory === subcontractors
  serveResource(scope, {
    path: `/${directory.name}`,
    native: `/admin/v1/${directory.name}`,
    permission: directory.name,
    noun: [hasDescription ? 'CompanySubcontractor' : 'CompanyCustomer', directory.entry],
    view: EntryView,
    body: NewEntry,
    change: EntryChange,
    list: (caller, query) => listEntries(deps, caller, directory, { ...query, sort: 'created_at' }),
    read: (caller, id) => readEntry(deps, caller, directory, id),
    create: async (caller, body) => {
      assertOwnCompany(body, caller.tenantId)
      const entry = { name: body.name, ...withoutNulls(membersOf(body, hasDescription)) }
      return (await createEntry(deps, caller, directory, entry, eachTime())).body
    },
    modify: (caller, id, body) => {
      assertOwnCompany(body, caller.tenantId)
      const change = { ...withoutNulls({ name: body.name }), ...membersOf(body, hasDescription) }
      return changeEntry(deps, caller, directory, id, change, undefined)
    },
    remove: (caller, id) => removeEntry(deps, caller, directory, id, undefined),
    present: presentEntry,
  })
}

/** Those that were sent, as the directory calls them. */
function membersOf(body: Omit<Static<typeof EntryChange>, 'name'>, hasDescription: boolean) {
  const { email: mail, contact_person: person, phone_number, address: place } = body
  const sent = {
    email: mail,
    contact_person: person,
    phone: phone_number,
    address: place,
    ...(hasDescription ? { description: body.description } : {}),
  }
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)) as {
    [Name in keyof typeof sent]?: Exclude<(typeof sent)[Name], undefined>
  }
}

function presentEntry(entry: Entry): Static<typeof EntryView> {
  return {
    id: entry.id,
    name: entry.name,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    email: entry.email,
    contact_person: entry.contactPerson,
    phone_number: entry.phone,
    address: entry.address,
    company_id: entry.tenantId,
    created_at: entry.createdAt.toISOString(),
    updated_at: entry.updatedAt.toISOString(),
  }
}
