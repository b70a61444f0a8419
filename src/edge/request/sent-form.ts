/**
 * Forms that a browser has sent, and that a page of ours sends once more. The page contains the body as base64 in one
 * hidden field. So the body arrives byte for byte, whatever its charset, and no part of it has a meaning in HTML.
 *
 * The origin gets the form as it first came: with the Origin, Referer and Sec-Fetch-Site of the first request. A form
 * of another site also loses the cookies that came only with the second request. So a page of ours is no way around the
 * origin's protection against forged requests.
 */
import { base64url } from 'jose'
import { within } from '../../runtime/within.ts'
import { isOurs } from './cookies.ts'
import { acceptsHtml } from './kind.ts'
import { isCrossSite } from './set-cookie.ts'
import type { SentForm, Visit } from './visit.ts'

/** The name of the hidden field. */
export const FORM_FIELD = 'waiting-room-form'
/** The most bytes of a body that a page can contain. The input of people and the returns of payments are smaller. */
export const FORM_BYTES_MAX = 256 * 1024
/** The most bytes of a form that a page sends again: the body in base64, with what is known of the first request. */
const CARRIED_BYTES_MAX = 360 * 1024
/** The encodings of forms (HTML section 4.10.22.6). A page of another site may send these without asking first. */
const FORM_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(;[\x20-\x7e]{0,200})?$/i
const CARRIED = new RegExp(`^${FORM_FIELD}=([\\w-]+)\\.([\\w-]*)\\r?\\n?$`)
/** Matches a value that is safe in a header that the edge writes. */
const PLAIN = /^[\x20-\x7e]{0,2000}$/
const COOKIES_MAX = 200
/** A slow connection needs 32 s for the largest body, at 64 kbit/s. */
const BODY_WITHIN_MS = 40_000

/** A form that a page of ours has sent again. */
interface FormAgain {
  /** The request with the original body and its type. */
  readonly request: Request
  readonly form: SentForm
}

/** True if a page can contain the body of this request: it is a small form, and a browser shows the answer to it. */
export function isCarriable({ request: { method, headers } }: Pick<Visit, 'request'>): boolean {
  if (method !== 'POST' || headers.has('Content-Encoding')) return false
  const length = headers.get('Content-Length')
  if (length === null || Number(length) > FORM_BYTES_MAX) return false
  return FORM_TYPE.test(headers.get('Content-Type') ?? '') && isShown(headers)
}

/**
 * Returns the value of the hidden field for such a form, or null if its sender goes away or stops. It reads the body,
 * so the request cannot go on after this.
 */
export async function carry(visit: Visit): Promise<string | null> {
  const bytes = await bodyOf(visit.request)
  if (!bytes) return null
  const form = visit.form ?? asItCame(visit, visit.request.headers.get('Content-Type') ?? '')
  return `${base64url.encode(JSON.stringify(form))}.${base64url.encode(bytes)}`
}

/** True if the request may come from a page of ours. Few requests have this type, so few bodies are read. */
export function isPerhapsAgain({ method, headers }: Request): boolean {
  if (method !== 'POST' || headers.get('Content-Type') !== 'text/plain') return false
  const length = headers.get('Content-Length')
  return length !== null && Number(length) <= CARRIED_BYTES_MAX && isShown(headers)
}

/**
 * Returns the form, if a page of ours has sent it. Otherwise returns the request, with its body restored. Returns null
 * if the sender goes away or stops.
 */
export async function formAgain(request: Request, url: URL): Promise<FormAgain | Request | null> {
  const bytes = await bodyOf(request)
  if (!bytes) return null
  const carried = read(new TextDecoder().decode(bytes))
  if (!carried) return new Request(request, { body: bytes })
  const headers = new Headers(request.headers)
  headers.set('Content-Type', carried.form.type)
  headers.set('Content-Length', String(carried.body.length))
  const again = new Request(request, { headers, body: carried.body })
  // A page of another site can fake such a request. Then only the browser's own headers count.
  const isForeign = isCrossSite({ url, request })
  return { request: again, form: isForeign ? asItCame({ url, request }, carried.form.type) : carried.form }
}

/** Returns the Cookie header with only those cookies of a form that came with its first request, or null. */
export function cookiesAsTheyCame(cookies: string, names: readonly string[]): string | null {
  const kept = cookies.split(';').filter(pair => names.includes(nameOf(pair)))
  return kept.length === 0 ? null : kept.join(';').trim()
}

/** Returns a whole body, which is small. Returns null if its sender goes away, or does not send all of it in time. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const read = await within(BODY_WITHIN_MS, request.arrayBuffer())
    return read === 'late' ? null : new Uint8Array(read)
  } catch {
    // The connection is lost, so no visitor waits for the answer.
    return null
  }
}

/** True if a browser shows the answer to its user. Older browsers do not send the mode, and programs send no origin. */
function isShown(headers: Headers): boolean {
  const mode = headers.get('Sec-Fetch-Mode')
  return mode === 'navigate' || (mode === null && headers.has('Origin') && acceptsHtml(headers))
}

function asItCame({ url, request }: Pick<Visit, 'url' | 'request'>, type: string): SentForm {
  const plain = (name: string) => {
    const value = request.headers.get(name)
    return value !== null && PLAIN.test(value) ? value : null
  }
  return {
    type,
    origin: plain('Origin'),
    referer: plain('Referer'),
    site: plain('Sec-Fetch-Site'),
    cookies: isCrossSite({ url, request }) ? cookieNames(request.headers.get('Cookie') ?? '') : null,
  }
}

function cookieNames(cookies: string): readonly string[] {
  const names = cookies.split(';').filter(pair => pair.includes('=') && !isOurs(pair))
  return names.map(nameOf).slice(0, COOKIES_MAX)
}

function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf('='))).trim()
}

function read(text: string): { readonly form: SentForm; readonly body: Uint8Array } | null {
  const [, form, body] = CARRIED.exec(text) ?? []
  if (form === undefined || body === undefined) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(form)))
    return isSentForm(value) ? { form: value, body: base64url.decode(body) } : null
  } catch {
    return null
  }
}

function isSentForm(value: unknown): value is SentForm {
  if (typeof value !== 'object' || value === null) return false
  const { type, origin, referer, site, cookies } = value as Record<string, unknown>
  const isPlain = (text: unknown) => text === null || (typeof text === 'string' && PLAIN.test(text))
  const isNames = cookies === null || (Array.isArray(cookies) && cookies.every(name => typeof name === 'string'))
  return typeof type === 'string' && FORM_TYPE.test(type) && [origin, referer, site].every(isPlain) && isNames
}
