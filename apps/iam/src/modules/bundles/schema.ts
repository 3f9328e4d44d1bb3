import { IdText } from '@signet/http'
import { Type } from 'typebox'

export const BundlePath = Type.Object({ tid: IdText })

export const BundleToken = {
  description:
    'A JWS in compact form of type authz-bundle+jwt: `sub` is the tenant, `version` rises with every change, `roles` with their permissions, `policies` in Cedar',
  content: {
    'application/jwt': {
      schema: Type.String({
        examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF1dGh6LWJ1bmRsZStqd3QifQ.eyJ2ZXJzaW9uIjo3fQ.c2lnbmF0dXJl'],
      }),
    },
  },
}
