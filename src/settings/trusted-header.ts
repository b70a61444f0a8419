/** The headers in which proxies write a visitor's address (`TRUSTED_IP_HEADER`), and the danger of trusting them. */

/** Where the Worker runs: behind Cloudflare, or behind a proxy of the operator. */
export type Platform = 'cloudflare' | 'elsewhere'

/**
 * Headers with the name of the proxy that sets each. Behind any other proxy, visitors can set such a header themselves.
 */
const SET_BY: Readonly<Record<string, string>> = {
  'CF-Connecting-IP': 'Cloudflare',
  'True-Client-IP': 'Akamai, and by Cloudflare where the zone has it turned on',
  'CloudFront-Viewer-Address': 'CloudFront',
  'DO-Connecting-IP': 'DigitalOcean',
  'Fastly-Client-IP': 'Fastly',
  'Fly-Client-IP': 'Fly.io',
  'X-Appengine-User-IP': 'App Engine',
  'X-Azure-ClientIP': 'Azure Front Door',
  'X-Envoy-External-Address': 'Envoy',
  'X-NF-Client-Connection-IP': 'Netlify',
  'X-Vercel-Forwarded-For': 'Vercel',
}
/** Headers that an operator can configure a proxy to set, to the address of the connection. */
const SET_BY_OWN = ['X-Real-IP', 'X-Client-IP', 'X-Cluster-Client-IP']
/** Headers that are lists. Each proxy adds an address to them. */
const LISTS = ['X-Forwarded-For', 'Forwarded']
const USUAL = [...Object.keys(SET_BY), ...SET_BY_OWN, ...LISTS]
const ON_CLOUDFLARE = ['CF-Connecting-IP', 'True-Client-IP', 'X-Forwarded-For']
/** A name that differs from a usual one by at most this many letters was probably mistyped. */
const TYPOS_MAX = 2

/**
 * Returns advice on a name, or null if the name is right where the Worker runs. A null `name` means that no header is
 * trusted.
 */
export function adviceOnTrustedHeader(name: string | null, platform: Platform): string | null {
  const isCloudflare = platform === 'cloudflare'
  if (name === null) {
    return isCloudflare
      ? 'no header is trusted, so no address is known: rules by cidr match no visitor, and limits by network do not ' +
          'apply. On Cloudflare name CF-Connecting-IP'
      : null
  }
  const usual = USUAL.find(other => isSame(other, name))
  if (!usual) {
    return `${name} is no usual header${meantBy(name)}. If a visitor can send it, visitors choose their address`
  }
  if (isCloudflare && !ON_CLOUDFLARE.includes(usual)) {
    return `Cloudflare does not set ${usual}, so visitors can write it themselves: name CF-Connecting-IP`
  }
  if (LISTS.includes(usual)) {
    return (
      `the last address in ${usual} is used: the one that the nearest proxy has added. ` +
      'Behind two proxies that is the address of the outer one, for every visitor'
    )
  }
  const by = SET_BY[usual]
  if (by === undefined || (isCloudflare && by === 'Cloudflare')) return null
  return `${usual} is set by ${by}. A visitor who reaches the Worker in another way writes it, and chooses the address`
}

function meantBy(name: string): string {
  const near = USUAL.find(other => typos(other.toLowerCase(), name.toLowerCase()) <= TYPOS_MAX)
  return near === undefined ? `, which are ${USUAL.join(', ')}` : `: ${near} may be meant`
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** Returns how many letters must be inserted, dropped or replaced to turn one text into the other (Levenshtein). */
function typos(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, length) => length)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
    }
    row = next
  }
  return row[to.length] ?? 0
}
