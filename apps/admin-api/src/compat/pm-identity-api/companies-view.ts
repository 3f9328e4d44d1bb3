import { IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'
import type { Tenant } from '../../modules/tenants/index.ts'

const Text = (example: string) => nullable(Type.String({ examples: [example] }))

export const CompanyView = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['Acme Mobility'] }),
  description: Text('Charges what drives'),
  logo_url: Text('/companies/0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b/logo'),
  has_logo: Type.Boolean(),
  website: Text('https://acme.example'),
  phone_number: Text('+33 1 23 45 67 89'),
  email: Text('contact@acme.example'),
  address: Text('1 rue de la Paix'),
  postal_code: Text('75002'),
  city: Text('Paris'),
  country: Text('France'),
  created_at: Moment,
  updated_at: Moment,
})

export function presentCompany({ id, name, logoKey, settings, ...row }: Tenant): Static<typeof CompanyView> {
  const { description, website, phone, email, address, postal_code, city, country } = settings.profile ?? {}
  return {
    id,
    name,
    description: description ?? null,
    logo_url: logoKey === null ? null : `/companies/${id}/logo`,
    has_logo: logoKey !== null,
    website: website ?? null,
    phone_number: phone ?? null,
    email: email ?? null,
    address: address ?? null,
    postal_code: postal_code ?? null,
    city: city ?? null,
    country: country ?? null,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}
