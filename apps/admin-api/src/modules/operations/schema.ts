import { Moment } from '@signet/http'
import { type Static, Type } from 'typebox'

/** In the form that probes of an older system read as well (pm-identity-api): one route serves both. */
export const HealthView = Type.Object({
  status: Type.Enum(['healthy', 'unhealthy']),
  service: Type.String({ examples: ['signet-admin-api'] }),
  timestamp: Moment,
  version: Type.String({ examples: ['0.1.0'] }),
  environment: Type.String({ examples: ['production'] }),
  checks: Type.Object({
    database: Type.Object({
      healthy: Type.Boolean(),
      message: Type.String({ examples: ['The database answers'] }),
      response_time_ms: Type.Number({ examples: [1.4] }),
    }),
  }),
})
export type HealthView = Static<typeof HealthView>

/** The settings under their names, without any that is a secret or leads to one. */
export const ConfigView = Type.Record(Type.String(), Type.Unknown(), {
  examples: [
    {
      environment: 'production',
      host: '127.0.0.1',
      port: 4001,
      env: 'production',
      debug: false,
      database_url: 'postgresql://***',
    },
  ],
})
