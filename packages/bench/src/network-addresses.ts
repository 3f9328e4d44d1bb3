/**
 * Addresses that the load tells by `X-Forwarded-For`, as clients behind a proxy have them. All of it comes from one machine,
 * and the issuer limits what one network may do: with addresses of their own the limits stay in force and in the measured
 * path, and nobody meets them.
 */

/** What the issuer takes for its proxy: where the load runs. */
export const proxyAddress = '127.0.0.1'

const addressCount = 2 ** 24

/** The address with this number, from 0, in 10.0.0.0/8. @throws RangeError beyond it */
export function addressOf(number: number): string {
  if (!Number.isInteger(number) || number < 0 || number >= addressCount)
    throw new RangeError(`There is no address ${number}.`)
  return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`
}

/** The address with this number, from 0, in 127.1.0.0/16 and beyond: for connections that a real proxy sees. @throws as `addressOf` */
export function loopbackAddressOf(number: number): string {
  return addressOf(number + 2 ** 16).replace(/^10\./, '127.')
}
