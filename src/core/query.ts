/**
 * All the ways in which a server behind us might read the query of a request. Servers disagree about parameters that
 * come twice, about `;` as a separator, and about encodings. PHP also files `a.b` and `a[b]` under other names. So a
 * rule that lets a request by needs a parameter that every server reads alike (`surelyHas`). An exception from such a
 * rule counts as soon as any server might read it (`mayHave`).
 */

/** A parameter of a query: by its name alone, or with a whole value or the beginning of one. */
interface Parameter {
  readonly name: string
  readonly value?: string | undefined
  readonly prefix?: string | undefined
}

/** A longer query is an attempt to evade a rule. Servers ignore parameters beyond some number; PHP reads 1,000. */
const LENGTH_MAX = 8_192
const PARAMETERS_MAX = 100
/** Deeper encoding is an attempt to get around a rule. */
const DECODINGS_MAX = 3
/** Matches a value in which no character has a meaning in a query or in an encoding. */
const PLAIN_VALUE = /^[\w\-.~/:@, ]+$/

/** Returns the query of a URL as it came, without its `?`, or null when there is none. */
export function rawQueryOf(url: string): string | null {
  const at = url.indexOf('?')
  return at < 0 ? null : url.slice(at + 1)
}

/** True if a rule may ask for this value: no server reads it in two ways. */
export function isPlainValue(text: string): boolean {
  return PLAIN_VALUE.test(text)
}

/**
 * True if every server finds the parameter exactly once, with a wanted value. Without `value` and `prefix` every value
 * is wanted except an empty one, because programs treat an empty value as missing.
 */
export function surelyHas(raw: string | null, { name, value, prefix }: Parameter): boolean {
  if (raw === null || isUnclear(raw) || /[;#]/.test(raw)) return false
  const [pair, second] = raw.split('&').filter(one => isNamed(one, name))
  if (pair === undefined || second !== undefined || !pair.startsWith(`${name}=`)) return false
  const text = pair.slice(name.length + 1)
  if (value === undefined && prefix === undefined) return text !== ''
  // `+` is a space for some servers.
  const found = text.includes('+') ? null : decodedOnce(text)
  if (found === null || !isPlainValue(found)) return false
  if (value !== undefined) return found === value
  // Some routers resolve `..` and `//` in a value that is a path.
  return found.startsWith(prefix ?? '') && !/\.\.|\/\//.test(found)
}

/** True if any server might find the parameter with a wanted value. */
export function mayHave(raw: string | null, { name, value, prefix }: Parameter): boolean {
  if (raw === null) return false
  if (isUnclear(raw)) return true
  const own = raw.split(/[&;#]/).filter(one => isNamed(one, name))
  if (value === undefined && prefix === undefined) return own.length > 0
  const wanted = spelled(value ?? prefix ?? '')
  return own.some(pair => {
    const written = nameIn(pair)
    // `name[]` and `name[x]` may hold any value, so they match.
    if (spelled(decodings(written).at(-1) ?? '') !== spelled(name)) return true
    const values = decodings(pair.slice(written.length + 1)).map(spelled)
    return values.some(found => (value === undefined ? found.startsWith(wanted) : found === wanted))
  })
}

/**
 * True if a server might read anything: the encoding is broken or deep, there are control characters, or it is too much
 * to check.
 */
function isUnclear(raw: string): boolean {
  if (raw.length > LENGTH_MAX || raw.split('&', PARAMETERS_MAX + 1).length > PARAMETERS_MAX) return true
  const full = decodings(raw).at(-1) ?? ''
  return decodedOnce(raw) === null || /%[\da-f]{2}/i.test(full) || hasControls(full)
}

function nameIn(pair: string): string {
  const equals = pair.indexOf('=')
  return equals < 0 ? pair : pair.slice(0, equals)
}

/**
 * True if any server might file a pair under a name: without the brackets of a list or object, or with `_` as in PHP.
 */
function isNamed(pair: string, name: string): boolean {
  const wanted = spelled(name)
  return decodings(nameIn(pair)).some(written => {
    const plain = spelled(written)
    return [plain, plain.replace(/[[.].*$/, ''), plain.replaceAll(/[[. ]/g, '_')].includes(wanted)
  })
}

/** Returns the same text for all spellings that some server takes for the same. */
function spelled(text: string): string {
  return text.trim().toLowerCase()
}

/** Returns the text at each depth of decoding, as far as it can be decoded. */
function decodings(text: string): readonly string[] {
  const found = [text.replaceAll('+', ' ')]
  for (let depth = 0; depth < DECODINGS_MAX; depth++) {
    const decoded = decodedOnce(found.at(-1) ?? '')
    if (decoded === null || decoded === found.at(-1)) break
    found.push(decoded)
  }
  return found
}

/** Returns null if a percent sequence is broken or not UTF-8. */
function decodedOnce(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true
  return false
}
