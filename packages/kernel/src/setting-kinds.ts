import { serviceUrlNames } from './setting-names.ts'
import type { Setting, SettingFamily } from './settings.ts'

/** Any text. */
export function text<T extends string | undefined>(fallback: T, ...aliases: string[]): Setting<string | T> {
  return { parse: given => given, fallback, aliases }
}

/** A whole number between two bounds, both included. */
export function integer<T extends number | undefined>(
  fallback: T,
  [least, most]: readonly [number, number],
  ...aliases: string[]
): Setting<number | T> {
  const parse = (given: string) => {
    const value = Number(given)
    if (!/^\d+$/.test(given) || value < least || value > most) {
      throw new Error(`has to be a whole number from ${least} to ${most}, not "${given}".`)
    }
    return value
  }
  return { parse, fallback, aliases }
}

/** `true`, `1`, `yes`, `on` and their opposites, in any case. */
export function flag(fallback: boolean, ...aliases: string[]): Setting<boolean> {
  const parse = (given: string) => {
    if (/^(true|1|yes|on)$/i.test(given)) return true
    if (/^(false|0|no|off)$/i.test(given)) return false
    throw new Error(`has to be true or false, not "${given}".`)
  }
  return { parse, fallback, aliases }
}

/** One of a few words, in any case. */
export function oneOf<const W extends string>(words: readonly W[], fallback: W, ...aliases: string[]): Setting<W> {
  const parse = (given: string) => {
    const word = words.find(each => each.toLowerCase() === given.toLowerCase())
    if (word === undefined) throw new Error(`has to be one of ${words.join(', ')}, not "${given}".`)
    return word
  }
  return { parse, fallback, aliases }
}

/** An absolute http or https address without a trailing slash, query or fragment: an issuer is compared letter by letter. */
export function origin<T extends string | undefined>(fallback: T, ...aliases: string[]): Setting<string | T> {
  const parse = (given: string) => {
    const url = URL.canParse(given) ? new URL(given) : undefined
    const isPlain =
      url !== undefined && /^https?:$/.test(url.protocol) && !/[?#]|\/$/.test(given) && url.username === ''
    if (!isPlain) throw new Error(`has to be an http or https address without a trailing slash, not "${given}".`)
    return given
  }
  return { parse, fallback, aliases }
}

/** Addresses of other services, each an {@link origin}, by the services' names. */
export function serviceUrls(): SettingFamily<string> {
  return { family: serviceUrlNames, parse: given => origin(undefined).parse(given) as string }
}

/** One e-mail address and nothing beside it: a name or a second address would end up in a header. */
export function mailAddress(...aliases: string[]): Setting<string | undefined> {
  const parse = (given: string) => {
    if (!/^[^\s<>,;:"@]+@[^\s<>,;:"@]+$/.test(given)) {
      throw new Error(`has to be one address like signet@example.com and no more, not "${given}".`)
    }
    return given
  }
  return { parse, fallback: undefined, aliases }
}

/** Words separated by commas. */
export function list(fallback: readonly string[], ...aliases: string[]): Setting<readonly string[]> {
  const parse = (given: string) =>
    given
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== '')
  return { parse, fallback, aliases }
}

/** Origins as a browser says them (RFC 6454 section 6.2), with commas between. They are compared letter by letter. */
export function pageOrigins(): Setting<readonly string[]> {
  const parse = (given: string) => {
    const origins = list([]).parse(given)
    const odd = origins.filter(each => !/^https?:/.test(each) || !URL.canParse(each) || new URL(each).origin !== each)
    if (odd.length > 0) {
      throw new Error(`has to be like https://app.example.com, without a path or an asterisk, not "${odd.join(', ')}".`)
    }
    return origins
  }
  return { parse, fallback: [] }
}

/** Some of a few words, in any case, separated by commas; all of them by default. `none` is none of them. */
export function someOf<const W extends string>(words: readonly W[], ...aliases: string[]): Setting<readonly W[]> {
  const parse = (given: string) => {
    if (/^none$/i.test(given)) return []
    const named = list([]).parse(given)
    const unknown = named.filter(each => !words.some(word => word === each.toLowerCase()))
    if (unknown.length > 0) throw new Error(`knows ${words.join(', ')} and none, not "${unknown.join(', ')}".`)
    return words.filter(word => named.some(each => word === each.toLowerCase()))
  }
  return { parse, fallback: words, aliases }
}

/**
 * A `postgres://` address. SQLAlchemy names its driver in it (`postgresql+asyncpg://`), which is dropped. Its password never
 * stands in a message.
 */
export function postgresUrl(...aliases: string[]): Setting<string | undefined> {
  const parse = (given: string) => {
    const url = given.replace(/^(postgres(?:ql)?)\+[a-z0-9]+:/, '$1:')
    if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
      throw new Error('has to be an address of the form postgres://user:password@host:5432/database.')
    }
    return url
  }
  return { parse, fallback: undefined, aliases }
}

/** A `redis://` or `rediss://` address, or `memory://`, which is none. Its password never stands in a message. */
export function redisUrl(...aliases: string[]): Setting<string | undefined> {
  const parse = (given: string) => {
    if (given === 'memory://') return undefined
    if (!URL.canParse(given) || !/^rediss?:$/.test(new URL(given).protocol)) {
      throw new Error('has to be an address of the form redis://user:password@host:6379, or memory:// for none.')
    }
    return given
  }
  return { parse, fallback: undefined, aliases }
}

const domainName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

/** A domain name of two parts or more, in lower case. A dot before it means nothing (RFC 6265 section 5.2.3). */
export function domain(...aliases: string[]): Setting<string | undefined> {
  const parse = (given: string) => {
    const name = given.toLowerCase().replace(/^\./, '')
    if (!domainName.test(name)) throw new Error(`has to be a domain such as example.com, not "${given}".`)
    return name
  }
  return { parse, fallback: undefined, aliases }
}
