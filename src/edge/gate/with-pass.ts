/**
 * A visitor with a pass, or with the ticket of a session that has begun. The lease of this isolate decides first, then
 * the door. A policy may refuse the request, or send its visitor back to the line.
 */
import { SHORT_RETRY_MS } from '../../core/place/step.ts'
import type { Pass } from '../../core/ticket.ts'
import type { Refusal } from '../limits/refusal.ts'
import { isPrefetch } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import type { SessionMemory } from '../room-client/memory.ts'
import { type RoomClient, Unreachable } from '../room-client/room-client.ts'
import { invitedBy } from './invitation.ts'
import type { Carried } from './presented-tokens.ts'
import { admitted, askDoor, isKept, leaseOn, renewLease } from './session.ts'
import { limitedBy, type TurnedAway, type Verdict } from './verdict.ts'
import { withoutPass } from './without-pass.ts'

/** A requeued visitor stands at most 10 minutes behind a newcomer, even when the policy counts a whole day. */
const REQUEUED_MAX_MS = 10 * 60_000
const SESSION_ENDED: TurnedAway = {
  kind: 'turned-away',
  why: 'session-ended',
  retryAfterMs: SHORT_RETRY_MS,
  page: null,
}

/** Decides by the lease alone. Returns null when the door of the session must be asked. */
export async function byLease(visit: Visit, room: RoomClient, pass: Carried<Pass>): Promise<Verdict | null> {
  const lease = leaseOn(visit, room, pass.value.sid)
  if (!lease || !isLongEnough(visit, room, lease)) return null
  const taken = room.limits.take(visit, lease.limits, visit.nowMs)
  if (taken === 'short') return null
  if (taken !== 'taken') return refuse(visit, room, pass, taken)
  if (lease.renewMs <= visit.nowMs) renewLease(visit, room, pass.value)
  return admitted(visit, room, pass, { why: 'lease', doorExpiresMs: lease.expiresMs })
}

/** Asks the door about a session, and carries out the refusal of a policy. Returns null when the session is over. */
export async function byDoor(visit: Visit, room: RoomClient, pass: Carried<Pass>): Promise<Verdict | null> {
  const inside = await askDoor(visit, room, pass)
  return inside?.kind === 'limited' && inside.by ? refuse(visit, room, pass, inside.by.refusal) : inside
}

/**
 * The ticket of a session that has begun is worth exactly as much as its pass: a visitor who shows it again gets no
 * second budget.
 */
export async function asWithPass(visit: Visit, room: RoomClient, text: string): Promise<Verdict> {
  const token = await room.tokens.read(text, visit.nowMs)
  if (token.kind !== 'pass') return SESSION_ENDED
  const pass = { value: token.pass, text }
  const inside = (await byLease(visit, room, pass)) ?? (await byDoor(visit, room, pass)) ?? SESSION_ENDED
  return inside.kind === 'admitted' ? { ...inside, isNew: true } : inside
}

/** True if the session lasts long enough: a protected request, such as a payment, must not outlive it. */
function isLongEnough(visit: Visit, room: RoomClient, lease: SessionMemory): boolean {
  return !room.settings.isProtected(visit.readings) || isKept(room, lease, visit.nowMs)
}

/**
 * Carries out the refusal of a policy. Usually the request is limited. If the policy requeues, the session ends, and
 * its visitor goes to the back of the line.
 */
async function refuse(visit: Visit, room: RoomClient, carried: Carried<Pass>, refusal: Refusal): Promise<Verdict> {
  const { sid, expiresMs } = carried.value
  room.sync.report(visit)
  if (!refusal.policy?.requeues) return limitedBy(room, sid, refusal)
  try {
    await room.sessions.end(visit, sid, 'revoked')
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return limitedBy(room, sid, refusal)
  }
  // A new session has a new budget, so it must not begin before the old budget would have been full again.
  const { intervalMs, burst } = refusal.policy.quota
  const behindMs = Math.min(REQUEUED_MAX_MS, Math.max(refusal.retryAfterMs, intervalMs * burst))
  const forMs = Math.max(behindMs, expiresMs - visit.nowMs)
  room.ended.note(sid, { again: null, requeuedBy: refusal.name, forMs }, visit.nowMs)
  room.limits.countRefusal(refusal)
  room.count('requeued')
  await room.sync.current(visit)
  const invited = await invitedBy(visit, room)
  const shown = { ticket: null, inCookie: null, keepCookie: false, invited }
  const outcome = await withoutPass(visit, room, shown, { purpose: 'requeued', behindMs, after: sid })
  if (isPrefetch(visit.request.headers) || visit.kind === 'subresource') {
    const page = outcome.kind === 'waiting' || outcome.kind === 'rejected' ? outcome : null
    return { kind: 'turned-away', why: 'requeued', retryAfterMs: SHORT_RETRY_MS, page }
  }
  return outcome.kind === 'waiting' ? { ...outcome, requeuedBy: refusal.name } : outcome
}
