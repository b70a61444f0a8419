/**
 * How many of the sessions inside are there. A session keeps its place until it expires, but a visitor who has left
 * makes no requests. A session is there when it was seen, or admitted, within the last minute.
 */
import { sessionsOn, voterShare } from './votes.ts'

/** The sessions of a room, as its doors count them. */
export interface Load {
  /** Sessions that have a place. */
  readonly inside: number
  /** Sessions admitted since the room began. */
  readonly admitted: number
  /** A visitor waits, or is ready to be admitted. */
  readonly hasDemand: boolean
}

/** Plain data, so that it can be stored. */
export interface Presence {
  /** Until this time no session counts as gone. */
  knownFromMs: number
  /** When the session of each lot was last seen. */
  seenMs: Record<number, number>
  /** The total of admissions at the end of each window of the last minute, oldest first. */
  admitted: { readonly atMs: number; readonly total: number }[]
  /** The last estimate of the sessions that are gone, and the counts at that time. */
  gone: { readonly sessions: number; readonly inside: number; readonly admitted: number } | null
}

/** The estimate may be wrong by a tenth, so a few more sessions than were seen count as there. */
const SEEN_MARGIN = 1.15
/** A visitor who reads pages, or is blocked, sends a request at least this often. */
const THERE_FOR_MS = 60_000
/**
 * During a rollout, edges of the previous version report beside new ones. Their sessions may not vote. So for this time
 * no session counts as gone.
 */
const ROLLOUT_MS = 300_000

/** Returns the presence of a room that notes sessions from now on. With `isNewVersion` a rollout may be under way. */
export function newPresence(nowMs: number, isNewVersion: boolean): Presence {
  const knownFromMs = nowMs + THERE_FOR_MS + (isNewVersion ? ROLLOUT_MS : 0)
  return { knownFromMs, seenMs: {}, admitted: [], gone: null }
}

export function noteSeen(presence: Presence, lots: Iterable<string | number>, nowMs: number): void {
  for (const lot of lots) presence.seenMs[Number(lot)] = nowMs
}

/** Counts the sessions again, at the end of a window. */
export function recount(presence: Presence, { inside, admitted }: Load, nowMs: number): void {
  const sinceMs = nowMs - THERE_FOR_MS
  for (const [lot, atMs] of Object.entries(presence.seenMs)) if (atMs < sinceMs) delete presence.seenMs[Number(lot)]
  presence.admitted.push({ atMs: nowMs, total: admitted })
  while ((presence.admitted[1]?.atMs ?? nowMs) <= sinceMs) presence.admitted.shift()
  presence.gone = null
  if (nowMs < presence.knownFromMs) return
  const seen = sessionsOn(Object.keys(presence.seenMs).length, voterShare(inside))
  const lately = Math.max(0, admitted - (presence.admitted[0]?.total ?? admitted))
  presence.gone = { sessions: Math.max(0, inside - Math.ceil(SEEN_MARGIN * seen) - lately), inside, admitted }
}

/**
 * Returns how many sessions have a place and are gone. Sessions that ended since the last count are assumed to be gone
 * ones, so that for each of them at most one visitor is admitted.
 */
export function goneOf({ gone }: Presence, { inside, admitted }: Load): number {
  if (!gone) return 0
  const ended = gone.inside + (admitted - gone.admitted) - inside
  return Math.min(inside, Math.max(0, gone.sessions - Math.max(0, ended)))
}

/** Returns how many sessions are there. */
export function thereOf(presence: Presence, load: Load): number {
  return load.inside - goneOf(presence, load)
}
