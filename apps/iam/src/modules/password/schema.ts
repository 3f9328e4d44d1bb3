import { strictObject } from '@signet/http'
import type { Static } from 'typebox'
import { Password } from '../../person-fields.ts'

export const PasswordChange = strictObject({ current_password: Password, new_password: Password })
export type PasswordChange = Static<typeof PasswordChange>
