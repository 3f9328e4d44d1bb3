import { randomInt } from 'node:crypto'

/** Letters and digits that nobody takes for another when they read them out: no 0 O o, no 1 I l. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789'
const characters = 12

/** 12 characters of 56, each as likely as any other (`randomInt` is unbiased): 69 bits. */
export function createTemporaryPassword(): string {
  return Array.from({ length: characters }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
