import type { MessageData } from '../messages.ts'
import type { Wording, Words } from './wording.ts'

const keepIt = 'Do not pass it on: whoever asks you for it, by mail or on the phone, is not us.'

const span = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`

/** 90 minutes are told as such, 120 as 2 hours. */
const life = (minutes: number) => (minutes % 60 === 0 ? span(minutes / 60, 'hour') : span(minutes, 'minute'))

function codeWords(
  { code, minutes }: MessageData['sign-in-code'],
  { subject, purpose, otherwise }: Record<'subject' | 'purpose' | 'otherwise', string>,
): Words {
  return {
    subject,
    paragraphs: [
      `This is your code to ${purpose}:`,
      { code },
      `It works for ${life(minutes)}, once.`,
      keepIt,
      otherwise,
    ],
    short: `${code} is your code to ${purpose}. It works for ${life(minutes)}. Do not pass it on.`,
    variables: [code, String(minutes)],
  }
}

const waysIn: Record<MessageData['way-in-locked']['wayIn'], string> = {
  password: 'with your password',
  'refresh-key': 'with your refresh key',
  code: 'with a code',
  'password-reset': 'by resetting your password',
}

export const english: Wording = {
  greeting: name => (name === null ? 'Hello,' : `Hello ${name},`),
  'sign-in-code': data =>
    codeWords(data, {
      subject: 'Your code to sign in',
      purpose: 'sign in',
      otherwise: 'If you did not ask for it, ignore this message: without the code nobody gets in.',
    }),
  'contact-code': data =>
    codeWords(data, {
      subject: 'Confirm your address',
      purpose: 'confirm that this address or number is yours',
      otherwise: 'If you did not ask for it, ignore this message: nothing changes.',
    }),
  'password-reset-code': data =>
    codeWords(data, {
      subject: 'Your code to set a new password',
      purpose: 'set a new password',
      otherwise: 'If you did not ask for it, ignore this message: your password stays as it is.',
    }),
  'password-changed': () => ({
    subject: 'Your password was changed',
    paragraphs: [
      'The password of your account was changed, and all other devices were signed out.',
      'If it was not you, set a new password at once and tell your administrator.',
    ],
    short: 'Your password was changed. If it was not you, set a new one at once and tell your administrator.',
    variables: [],
  }),
  'contact-changed': ({ contact }) => ({
    subject: 'Your address was changed',
    paragraphs: [
      `Your account is reached at ${contact} from now on, and no longer here.`,
      'If it was not you, tell your administrator at once.',
    ],
    short: `Your account is reached at ${contact} from now on. If it was not you, tell your administrator at once.`,
    variables: [contact],
  }),
  'way-in-locked': ({ wayIn }) => ({
    subject: 'Too many failed attempts',
    paragraphs: [
      `Somebody has failed many times in a row to get into your account ${waysIn[wayIn]}. This way is now closed to devices that you have not used before.`,
      'Your own devices still get in, and so do you by any other way. Your administrator can open this one again.',
      'If it was not you, you need not do anything: nobody got in.',
    ],
    short: `Too many failed attempts to get into your account ${waysIn[wayIn]}: it is closed to new devices. Nobody got in.`,
    variables: [waysIn[wayIn]],
  }),
  'client-access': ({ token, advisor, purpose, minutes }) => ({
    subject: 'Access that was opened for you',
    paragraphs: [
      `${advisor} has opened access to your account for this purpose: ${purpose}`,
      'This is the key to it:',
      { code: token },
      `It works for ${life(minutes)}, once.`,
      keepIt,
      'If you do not expect it, tell your administrator.',
    ],
    short: `${advisor} has opened access for you: ${token} It works for ${life(minutes)}, once. Do not pass it on.`,
    variables: [advisor, token, String(minutes)],
  }),
  invitation: ({ token, advisor, purpose, days }) => ({
    subject: 'You are invited',
    paragraphs: [
      `${advisor} invites you, for this purpose: ${purpose}`,
      'This is your invitation:',
      { code: token },
      `It works for ${span(days, 'day')}, once.`,
      keepIt,
      'If you do not know who invites you, ignore this message.',
    ],
    short: `${advisor} invites you: ${token} It works for ${span(days, 'day')}, once. Do not pass it on.`,
    variables: [advisor, token, String(days)],
  }),
}
