/** What a cache holds already is not sent again, and what it takes compressed is sent so. */

/** Does `If-None-Match` name this validator (RFC 9110 section 13.1.2, weak comparison)? */
export function matchesValidator(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some(each => {
    const given = each.trim()
    return given === '*' || opaqueTag(given) === opaqueTag(etag)
  })
}

/** RFC 9110 section 12.5.3. A coding of weight 0 is refused; what is named by itself counts before `*`. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map(each => {
        const [coding = '', ...parameters] = each.split(';').map(part => part.trim())
        const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1'
        return [coding, Number(weight)] as const
      }),
  )
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0
}

function opaqueTag(etag: string): string {
  return etag.replace(/^W\//, '')
}
