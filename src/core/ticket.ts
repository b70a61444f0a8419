/** What a ticket and a pass say, once a token has been verified. Times are milliseconds. */

export interface Ticket {
  readonly room: string
  readonly sid: string
  /** Place in line: the arrival at the edge, in ms. */
  readonly key: number
  readonly lane: string
  /** Counted in the line. A provisional ticket only holds its place. */
  readonly confirmed: boolean
  /** The lowest position shown so far, null until one was shown. */
  readonly low: number | null
  /** Until when a called ticket may be claimed, null until its visitor has heard of the call. */
  readonly byMs: number | null
  readonly generation: number
  /** When the token was signed. */
  readonly issuedMs: number
}

export interface Pass {
  readonly room: string
  readonly sid: string
  readonly generation: number
  readonly issuedMs: number
  /** Two seconds before the door ends the session, so that an origin never honours a place that is free again. */
  readonly expiresMs: number
}

export const PASS_ENDS_EARLY_MS = 2_000

/** The lane of everybody without an invitation. */
export const MAIN_LANE = 'main'

/** The door a sid belongs to: sids are `<door>.<128 random bits>`, with `~n` behind for a later life. */
export function doorOf(sid: string): string {
  return sid.slice(0, sid.indexOf('.'))
}
