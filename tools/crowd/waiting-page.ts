/** Turns an answer into a verdict: what the answer means to a visitor in line. */
import type { solveChallenge } from 'altcha-lib'
import type { Answer } from './connections.ts'

export type Challenge = Parameters<typeof solveChallenge>[0]['challenge']

/**
 * `origin`: the site itself answered. `refused`: a server in front of the site answered, but gave no place in line.
 * `blocked`: the room keeps the session while the site, or a part of it, is down.
 */
export type PageVerdict =
  | { readonly kind: 'origin' }
  | ({ readonly kind: 'waiting'; readonly statusPath: string | null; readonly pollAfterMs: number } & Challenged)
  | { readonly kind: 'refused' | 'blocked'; readonly retryAfterMs: number }

export type PollVerdict =
  | { readonly kind: 'admitted' }
  /** The room has no ticket or session of this visitor, or no longer has it. A browser would reload the page. */
  | { readonly kind: 'none' }
  | ({ readonly kind: 'waiting'; readonly pollAfterMs: number } & Challenged)

/** A challenge of proof of work that comes with a place; absent without one. */
export interface Challenged {
  readonly challenge?: Challenge
}

/** Every answer of the demo shop has this header. */
export const ORIGIN_MARK = 'demo-shop'

const DEFAULT_POLL_MS = 5_000
/** Poll intervals outside these bounds are not followed: in a run they would hide a fault of the room. */
const POLL_MS_MIN = 500
const POLL_MS_MAX = 120_000

/**
 * `originIsMarked`: this site's own answers are known to carry the mark. On a site without a mark, an answer that is
 * neither a waiting page nor an error counts as the site's.
 */
export function readPage(answer: Answer, originIsMarked: boolean): PageVerdict {
  if (answer.headers[ORIGIN_MARK] !== undefined) return { kind: 'origin' }
  const room = answer.body.match(/<\w+\b[^>]*\bid=["']?room\b[^>]*>/i)?.[0]
  if (room !== undefined && attribute(room, 'data-state') === 'blocked') {
    return { kind: 'blocked', retryAfterMs: retryAfterMs(answer) }
  }
  if (room !== undefined) {
    const statusPath = attribute(room, 'data-status')
    const pollAfterMs = pollMs(Number(attribute(room, 'data-poll') ?? Number.NaN))
    const data = answer.body.match(/<script id="challenge"[^>]*>(.*?)<\/script>/)?.[1]
    return { kind: 'waiting', statusPath, pollAfterMs, ...challengeIn(data === undefined ? null : parsed(data)) }
  }
  const isError = answer.status >= 500 || answer.status === 429
  if (originIsMarked || isError) return { kind: 'refused', retryAfterMs: retryAfterMs(answer) }
  return { kind: 'origin' }
}

export function readPoll(answer: Answer): PollVerdict {
  const place = parsed(answer.body)
  if (place?.state === 'admitted') return { kind: 'admitted' }
  if (place?.state === 'none') return { kind: 'none' }
  const told = typeof place?.pollAfterSeconds === 'number' ? pollMs(place.pollAfterSeconds) : null
  return { kind: 'waiting', pollAfterMs: told ?? retryAfterMs(answer), ...challengeIn(place) }
}

/** Returns the delay in Retry-After. Reads only a number of seconds, not a date. */
export function retryAfterMs(answer: Answer): number {
  return pollMs(Number(answer.headers['retry-after'] ?? Number.NaN))
}

function pollMs(seconds: number): number {
  if (!Number.isFinite(seconds)) return DEFAULT_POLL_MS
  return Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, seconds * 1_000))
}

/** Returns the value of an attribute, without the escapes of templates. They escape even slashes (`&#x2F;`). */
function attribute(tag: string, name: string): string | null {
  const value = tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1]
  if (value === undefined || value === '') return null
  return value
    .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, decimal) => String.fromCodePoint(Number(decimal)))
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
}

/** A challenge of Turnstile cannot be solved here. */
function challengeIn(place: Parsed | null): Challenged {
  return place?.challenge?.parameters === undefined ? {} : { challenge: place.challenge as Challenge }
}

interface Parsed {
  readonly state?: unknown
  readonly pollAfterSeconds?: unknown
  readonly challenge?: { readonly parameters?: unknown } | null
}

function parsed(text: string): Parsed | null {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}
