import { Type } from 'typebox'

export const HealthView = Type.Object({ status: Type.Literal('ok'), database: Type.Literal('ok') })

/** The settings under their names, without any that is a secret or leads to one. */
export const ConfigView = Type.Record(Type.String(), Type.Unknown())
