import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, type TProperties, Type } from 'typebox'
import { lineOf, linesOf } from '../../wire/texts.ts'
import { listQuery, SearchText } from '../lists/index.ts'
import { EmailAddress } from '../memberships/index.ts'

const name = lineOf(200, 'Rivière Transports')
const description = linesOf(2_000, 'Installs charging stations')
// What stands on a business card: nobody is called or written to by this system.
const contact = {
  email: Type.Optional(nullable(EmailAddress)),
  contact_person: Type.Optional(nullable(lineOf(200, 'Jeanne Rivière'))),
  phone: Type.Optional(nullable(lineOf(50, '+33 1 23 45 67 89, extension 12', 'As it is written'))),
  address: Type.Optional(nullable(linesOf(500, '1 rue de la Paix\n75002 Paris'))),
}
const described = { description: Type.Optional(nullable(description)) }

const Text = (example: string) => nullable(Type.String({ examples: [example] }))
const view = {
  id: IdText,
  name: Type.String({ examples: ['Rivière Transports'] }),
  email: Text('contact@riviere.example'),
  contact_person: Text('Jeanne Rivière'),
  phone: Text('+33 1 23 45 67 89, extension 12'),
  address: Text('1 rue de la Paix\n75002 Paris'),
  created_at: Moment,
  updated_at: Moment,
}

export const EntryParams = strictObject({ id: IdText })

export const EntryQuery = listQuery(['name', 'created_at'], 'name', {
  q: SearchText,
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  email: Type.Optional(EmailAddress),
})
export type EntryQuery = Static<typeof EntryQuery>

export const CustomerView = Type.Object(view)
export const NewCustomer = newEntry(contact)
export const CustomerChange = entryChange(contact)

export const SubcontractorView = Type.Object({
  ...view,
  description: Type.String({ examples: ['Installs charging stations'] }),
})
export const NewSubcontractor = newEntry({ ...contact, ...described })
export const SubcontractorChange = entryChange({ ...contact, ...described })

/** As wide as the widest of them: what a kind does not have, its schema keeps out. */
export type EntryView = Static<typeof CustomerView> & { readonly description?: string }
export type NewEntry = Static<typeof NewSubcontractor>
export type EntryChange = Static<typeof SubcontractorChange>

function newEntry<P extends TProperties>(members: P) {
  return strictObject({ name, ...members })
}

function entryChange<P extends TProperties>(members: P) {
  return strictObject(
    { name: Type.Optional(name), ...members },
    { minProperties: 1, description: 'A merge patch (RFC 7396): absent members stay, null clears' },
  )
}
