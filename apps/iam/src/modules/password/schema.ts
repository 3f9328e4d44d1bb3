import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Code, Email, NewPassword, Password } from '../../person-fields.ts'

export const PasswordChange = strictObject({ current_password: Password, new_password: NewPassword })
export type PasswordChange = Static<typeof PasswordChange>

export const PasswordResetRequest = strictObject({ email: Email })
export type PasswordResetRequest = Static<typeof PasswordResetRequest>

export const PasswordReset = strictObject({ email: Email, code: Code, new_password: NewPassword })
export type PasswordReset = Static<typeof PasswordReset>

export const ResetAnswer = strictObject({
  message: Type.String({ examples: ['If an account with this email exists, a password reset code has been sent.'] }),
})
