/** The end of a turn, and the grace for a visitor who missed the turn by a short time. */
import type { Ticket } from '../ticket.ts'

/** A token's time of issue is in whole seconds, so the ticket may have been issued up to this much later. */
const ISSUED_WITHIN_MS = 1_000

/** Returns the end of the turn, or null if the visitor has not learnt of it. */
export function turnEndsMs({ byMs, issuedMs }: Ticket, claimWindowMs: number): number | null {
  return byMs === null ? null : Math.min(byMs, issuedMs + claimWindowMs + ISSUED_WITHIN_MS)
}

/**
 * Returns the ticket with a second claim window, if its visitor missed the turn by less than the grace, and for the
 * first time. Otherwise returns null. The sid stays, so a replayed ticket still names the session that it began (I7).
 */
export function excused(
  ticket: Ticket,
  { claimWindowMs, missedGraceMs }: { readonly claimWindowMs: number; readonly missedGraceMs: number },
  nowMs: number,
): Ticket | null {
  const byMs = turnEndsMs(ticket, claimWindowMs)
  if (byMs === null || ticket.excused || nowMs > byMs + missedGraceMs) return null
  return { ...ticket, excused: true, byMs: nowMs + claimWindowMs, issuedMs: nowMs }
}
