/**
 * A request that is to be sent, byte for byte. A draft contains placeholders, because the number of a request and the
 * tokens differ from run to run.
 */
import { type Header, headerOf } from './wire.ts'

/** The network that a request comes from. A bypass rule names the network `trusted`. */
export type Network = 'ordinary' | 'trusted'
export const NETWORKS: Readonly<Record<Network, string>> = { ordinary: '127.1', trusted: '127.7' }

export interface Draft {
  readonly from: Network
  readonly method: string
  /** The target as it is sent, with `{id}` in place of the request's number. */
  readonly target: string
  readonly version: string
  /** Whole lines, so that a mutation can break a line. */
  readonly lines: readonly string[]
  readonly lineEnd: string
  /** The bytes after the head. */
  readonly body: string
  /** The content of the body; null where its framing can be read in several ways. */
  readonly content: string | null
}

export interface Sent {
  readonly id: string
  readonly draft: Draft
  readonly target: string
  readonly headers: readonly Header[]
  readonly content: string | null
  readonly text: string
}

/** Tokens by placeholder: `pass:held` is the pass of an insider of the room `held`. */
export type Tokens = ReadonlyMap<string, string>

/** Numbers have seven digits, so that the length is the same for all requests. */
export const FIRST_ID = 1_000_000

/** Fills the number of the request and the tokens of a site into a draft. */
export function fill(draft: Draft, tokens: Tokens, number: number): Sent {
  const id = String(number)
  const filled = (text: string) =>
    text.replaceAll('{id}', id).replaceAll(/\{(\w+:[\w-]+)\}/g, (_, name) => tokens.get(name) ?? '')
  const lines = [...draft.lines.map(filled), ...marksOf(draft, id)]
  const target = filled(draft.target)
  const head = [`${draft.method} ${target} ${draft.version}`, ...lines]
  return {
    id,
    draft,
    target,
    // A line feed inside of a line makes two lines of it.
    headers: lines.flatMap(line => line.split('\n')).map(headerOf),
    content: draft.content === null ? null : filled(draft.content),
    text: head.join(draft.lineEnd) + draft.lineEnd.repeat(2) + filled(draft.body),
  }
}

/**
 * Lines by which the origin recognises the request, beside its query. Only the CORS headers of a preflight reach the
 * origin.
 */
export function marksOf({ method, lines }: Draft, id: string): readonly string[] {
  const mark = `X-Fuzz: ${id}`
  const isPreflight = method === 'OPTIONS' && lines.some(line => headerOf(line)[0] === 'access-control-request-method')
  return isPreflight ? [mark, `Access-Control-Request-Headers: x-fuzz-${id}`] : [mark]
}

/** The length that a text has once its number is filled in. */
export function lengthOf(text: string): number {
  return text.replaceAll('{id}', String(FIRST_ID)).length
}

export function withLines(draft: Draft, ...lines: readonly string[]): Draft {
  return { ...draft, lines: [...draft.lines, ...lines] }
}

export function withoutHeader(draft: Draft, name: string): Draft {
  return { ...draft, lines: draft.lines.filter(line => headerOf(line)[0] !== name) }
}

/** The text with all bytes visible: bytes that cannot be printed are escaped. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, byte => {
    if (byte === '\r') return '\\r'
    if (byte === '\n') return '\\n\n'
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
