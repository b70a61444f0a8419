/** The contents of a ticket and of a pass, once a token has been verified. Times are milliseconds. */

/** The clocks of edges and doors may differ by this much. It includes the age of snapshots. */
export const SKEW_MS = 10_000

/** A batch contains the keys from `fromKey` up to, but not including, `untilMs`. The batch ends at `untilMs`. */
export interface Batch {
  readonly fromKey: number
  readonly untilMs: number
}

/** A batch whose tickets do not contain their place. `kid` is the id of the secret key that draws the place. */
export interface Draw extends Batch {
  readonly kid: string
}

/** An entry in the draw of an event. */
export interface Entry {
  readonly event: string
  readonly draw: number
}

/** `failed`: its visitor gave a wrong solution in a room where such a place never moves. */
export type ChallengeState =
  | { readonly state: 'set'; readonly sinceMs: number }
  | { readonly state: 'solved' }
  | { readonly state: 'failed' }

/** The generation of a token that was issued while no door answered. */
export const NO_GENERATION = 0

export interface Ticket {
  readonly room: string
  readonly sid: string
  /**
   * The place in line, in milliseconds: the arrival at the edge, or a draw between the start and the end of its batch.
   */
  readonly key: number
  /**
   * The batch of a drawn place, until its visitor may know the place. A token is signed but not secret: its visitor can
   * read it.
   */
  readonly draw?: Draw | null
  /** The entry in an event's draw. Until the event has started the ticket has no place, and its key is the arrival. */
  readonly entry?: Entry | null
  readonly lane: string
  /** True if the ticket is counted in the line. A provisional ticket has a place, but is not counted. */
  readonly confirmed: boolean
  /** The lowest position shown so far, null if none was shown. */
  readonly low: number | null
  /** The wait shown last, null or absent if none was shown. */
  readonly waitMs?: number | null
  /** Until when a called ticket may be claimed, null until its visitor has learnt of the call. */
  readonly byMs: number | null
  /** The page from which the visitor first came, absent if there was none. */
  readonly referrer?: string
  /** True once its visitor has missed a turn by a little, and stands at the front again. It happens once. */
  readonly excused?: true
  /** How far its visitor has got with the challenge of the room. Absent where none was set. */
  readonly challenge?: ChallengeState
  /** How often the place went to another browser, absent if it never did. */
  readonly transfers?: number
  /** When the place was taken, for a sid from an invitation. Such a sid can have more than one session. */
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
  /**
   * Two seconds before the door ends the session, so that no request reaches the origin for a place that is free again.
   */
  readonly expiresMs: number
  /** The page from which the visitor first came. Only a pass that a poll has brought contains it. */
  readonly referrer?: string
}

export const PASS_ENDS_EARLY_MS = 2_000

/** The lane of all visitors without an invitation. */
export const MAIN_LANE = 'main'

/** The most lanes beside the main one. Each lane sends a curve to every edge each second. */
export const LANES_MAX = 8

/**
 * Returns the ticket as one of `generation`, or null for a ticket of another generation, which is void. A ticket issued
 * while no door answered belongs to the generation of its time.
 */
export function inGeneration(ticket: Ticket, generation: number): Ticket | null {
  if (ticket.generation === generation) return ticket
  // The number of a generation is the time at which it began.
  const isOfIt = ticket.generation === NO_GENERATION && ticket.issuedMs >= generation - SKEW_MS
  return isOfIt ? { ...ticket, generation } : null
}

/**
 * Returns the name of a place. A sid from an invitation has one place after another, so their names include the time.
 * A transfer makes another name, because the browser that had the place before has it no more.
 */
export function placeIdOf({ transfers, ...place }: Pick<Ticket, 'sid' | 'takenMs' | 'transfers'>): string {
  return transfers === undefined ? lastingIdOf(place) : `${lastingIdOf(place)} +${transfers}`
}

/** Returns the name that a place keeps when it is transferred. */
export function lastingIdOf({ sid, takenMs }: Pick<Ticket, 'sid'> & { readonly takenMs?: number | undefined }): string {
  return takenMs === undefined ? sid : `${sid} ${takenMs}`
}

/** Returns the door of a sid. A sid is `<door>.<128 random bits>`, followed by `~n` for a later session. */
export function doorOf(sid: string): string {
  return sid.slice(0, sid.indexOf('.'))
}
