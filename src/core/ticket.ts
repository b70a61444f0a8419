/** What a ticket and a pass say, once a token has been verified. Times are milliseconds. */

/** Clocks of edges and doors may differ by this much, snapshots included. */
export const SKEW_MS = 10_000

/** Keys from `fromKey` on, and before `untilMs`, which is also when the batch ends. */
export interface Batch {
  readonly fromKey: number
  readonly untilMs: number
}

/** A batch whose tickets do not say their place, and the name of the key it is drawn with. */
export interface Draw extends Batch {
  readonly kid: string
}

/** An entry in the draw of an event. */
export interface Entry {
  readonly event: string
  readonly draw: number
}

/** Of a token that was given while no door had answered. */
export const NO_GENERATION = 0

export interface Ticket {
  readonly room: string
  readonly sid: string
  /** Place in line, in ms: the arrival at the edge, or a draw between the start and the end of its batch. */
  readonly key: number
  /** The batch of a drawn place, until its visitor may know the place: a token is signed, and everybody can read it. */
  readonly draw?: Draw | null
  /** Until its event has started the ticket has no place, and its key says the arrival. */
  readonly entry?: Entry | null
  readonly lane: string
  /** Counted in the line. A provisional ticket only holds its place. */
  readonly confirmed: boolean
  /** The lowest position shown so far, null until one was shown. */
  readonly low: number | null
  /** The wait last shown, null or absent until one was. */
  readonly waitMs?: number | null
  /** Until when a called ticket may be claimed, null until its visitor has heard of the call. */
  readonly byMs: number | null
  /** When the place was taken, for a sid that an invitation has named: such a sid has a session more than once. */
  readonly takenMs?: number
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

/** Lanes beside the main one. Each sends a curve to every edge each second. */
export const LANES_MAX = 8

/**
 * The ticket in a generation of its room, null when it is of another: that is void. A place that was taken while no door answered belongs to the
 * generation in which it was taken.
 */
export function inGeneration(ticket: Ticket, generation: number): Ticket | null {
  if (ticket.generation === generation) return ticket
  // A generation's name is the moment at which it began.
  const isOfIt = ticket.generation === NO_GENERATION && ticket.issuedMs >= generation - SKEW_MS
  return isOfIt ? { ...ticket, generation } : null
}

/** The door a sid belongs to: sids are `<door>.<128 random bits>`, with `~n` behind for a later life. */
export function doorOf(sid: string): string {
  return sid.slice(0, sid.indexOf('.'))
}
