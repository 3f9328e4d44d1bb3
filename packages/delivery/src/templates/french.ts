import type { MessageData } from '../messages.ts'
import type { Wording, Words } from './wording.ts'

const keepIt =
  'Ne le communiquez à personne : quiconque vous le demande, par e-mail ou par téléphone, n’est pas de chez nous.'

const span = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`

const life = (minutes: number) => (minutes % 60 === 0 ? span(minutes / 60, 'heure') : span(minutes, 'minute'))

function codeWords(
  { code, minutes }: MessageData['sign-in-code'],
  { subject, purpose, otherwise }: Record<'subject' | 'purpose' | 'otherwise', string>,
): Words {
  return {
    subject,
    paragraphs: [
      `Voici votre code pour ${purpose} :`,
      { code },
      `Il est valable ${life(minutes)}, une seule fois.`,
      keepIt,
      otherwise,
    ],
    short: `${code} est votre code pour ${purpose}. Il est valable ${life(minutes)}. Ne le communiquez à personne.`,
    variables: [code, String(minutes)],
  }
}

const waysIn: Record<MessageData['way-in-locked']['wayIn'], string> = {
  password: 'avec votre mot de passe',
  'refresh-key': 'avec votre clé de renouvellement',
  code: 'avec un code',
  'password-reset': 'en réinitialisant votre mot de passe',
}

export const french: Wording = {
  greeting: name => (name === null ? 'Bonjour,' : `Bonjour ${name},`),
  'sign-in-code': data =>
    codeWords(data, {
      subject: 'Votre code de connexion',
      purpose: 'vous connecter',
      otherwise: 'Si vous ne l’avez pas demandé, ignorez ce message : sans le code, personne n’entre.',
    }),
  'contact-code': data =>
    codeWords(data, {
      subject: 'Confirmez votre adresse',
      purpose: 'confirmer que cette adresse ou ce numéro est à vous',
      otherwise: 'Si vous ne l’avez pas demandé, ignorez ce message : rien ne change.',
    }),
  'password-reset-code': data =>
    codeWords(data, {
      subject: 'Votre code pour un nouveau mot de passe',
      purpose: 'choisir un nouveau mot de passe',
      otherwise: 'Si vous ne l’avez pas demandé, ignorez ce message : votre mot de passe reste le même.',
    }),
  'password-changed': () => ({
    subject: 'Votre mot de passe a été modifié',
    paragraphs: [
      'Le mot de passe de votre compte a été modifié et tous les autres appareils ont été déconnectés.',
      'Si ce n’était pas vous, choisissez aussitôt un nouveau mot de passe et prévenez votre administrateur.',
    ],
    short:
      'Votre mot de passe a été modifié. Si ce n’était pas vous, choisissez-en un autre et prévenez votre administrateur.',
    variables: [],
  }),
  'contact-changed': ({ contact }) => ({
    subject: 'Votre adresse a été modifiée',
    paragraphs: [
      `Votre compte est désormais joignable à ${contact}, et plus ici.`,
      'Si ce n’était pas vous, prévenez aussitôt votre administrateur.',
    ],
    short: `Votre compte est désormais joignable à ${contact}. Si ce n’était pas vous, prévenez votre administrateur.`,
    variables: [contact],
  }),
  'way-in-locked': ({ wayIn }) => ({
    subject: 'Trop de tentatives échouées',
    paragraphs: [
      `Quelqu’un a échoué de nombreuses fois de suite à entrer dans votre compte ${waysIn[wayIn]}. Cette voie est désormais fermée aux appareils que vous n’avez jamais utilisés.`,
      'Vos propres appareils entrent toujours, et vous aussi par toute autre voie. Votre administrateur peut rouvrir celle-ci.',
      'Si ce n’était pas vous, vous n’avez rien à faire : personne n’est entré.',
    ],
    short: `Trop de tentatives d’entrer dans votre compte ${waysIn[wayIn]} : fermé aux nouveaux appareils. Personne n’est entré.`,
    variables: [waysIn[wayIn]],
  }),
  'client-access': ({ token, advisor, purpose, minutes }) => ({
    subject: 'Un accès vous a été ouvert',
    paragraphs: [
      `${advisor} a ouvert un accès à votre compte, dans ce but : ${purpose}`,
      'En voici la clé :',
      { code: token },
      `Elle est valable ${life(minutes)}, une seule fois.`,
      'Ne la communiquez à personne : quiconque vous la demande, par e-mail ou par téléphone, n’est pas de chez nous.',
      'Si vous ne l’attendiez pas, prévenez votre administrateur.',
    ],
    short: `${advisor} vous a ouvert un accès : ${token} Valable ${life(minutes)}, une seule fois. Ne le communiquez à personne.`,
    variables: [advisor, token, String(minutes)],
  }),
  invitation: ({ token, advisor, purpose, days }) => ({
    subject: 'Vous êtes invité',
    paragraphs: [
      `${advisor} vous invite, dans ce but : ${purpose}`,
      'Voici votre invitation :',
      { code: token },
      `Elle est valable ${span(days, 'jour')}, une seule fois.`,
      'Ne la communiquez à personne : quiconque vous la demande, par e-mail ou par téléphone, n’est pas de chez nous.',
      'Si vous ne savez pas qui vous invite, ignorez ce message.',
    ],
    short: `${advisor} vous invite : ${token} Valable ${span(days, 'jour')}, une seule fois. Ne le communiquez à personne.`,
    variables: [advisor, token, String(days)],
  }),
}
