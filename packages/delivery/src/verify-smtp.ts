import type { SmtpSettings } from './transports/smtp.ts'

/** Connects and signs in, and sends nothing. @throws Error that says what the server answered */
export async function verifySmtp(settings: SmtpSettings): Promise<void> {
  const { connectOnce } = await import('./transports/smtp.ts')
  await connectOnce(settings)
}
