/**
 * Decides whether an admitted request is blocked: the origin is down, an upstream is blocked, or requests that can wait
 * are shed. The session goes on.
 */
import { lotOf } from '../../core/hash.ts'
import { backShare, goesOn, type HealthSnapshot } from '../../core/health/effect.ts'
import { ORIGIN } from '../../core/health/outcome.ts'
import { own } from '../../core/own.ts'
import type { Upstream } from '../../settings/compiled/health.ts'
import type { Admitted } from '../gate/verdict.ts'
import { noteAsked, shedShare } from '../limits/client-throttle.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

export type Blocked = {
  readonly room: RoomClient
  /** True if the visitor has a session, which then goes on. */
  readonly isInside: boolean
  readonly upstream: Upstream
  /** `outage`: the whole origin is blocked. `blocked`: this upstream is blocked. `shed`: the request can wait. */
  readonly why: 'outage' | 'blocked' | 'shed'
  readonly retryAfterMs: number
}

/** Trial requests of an isolate to a half-open upstream: one at once, then one in each window of 5 s. */
const TRIALS = { intervalMs: 5_000, burst: 1 }
/**
 * The shortest time between two trials of one visitor. It also applies to all newcomers together, because they may be
 * one visitor. So no visitor can take all trials.
 */
const TRIAL_OF_ONE_MS = 10_000
const TRIAL_OF_NEWCOMERS_MS = 20_000
const SHED_RETRY_MS = 5_000
/** The time until the next try during a block by the operator, which only the operator can end. */
const CLOSED_RETRY_MS = 10_000

/**
 * Returns the reason why a request must not go to its upstream now. Returns null for a request that goes on, as nearly
 * all do.
 */
export function blockFor(visit: Visit, admission: Admitted, upstreams: readonly Upstream[]): Blocked | null {
  const { room } = admission
  const health = room.snapshot?.health
  const { shed } = room.settings.health
  if (!health && !shed) return null
  // A protected request, such as a payment, is neither blocked by an outage of the origin nor shed.
  const isProtected = room.settings.isProtected(visit.readings)
  const block = { room, isInside: true, upstream: upstreams[0] as Upstream }
  if (health) {
    const { retryAfterMs } = health
    const upstream = upstreams.find(({ name }) => name !== ORIGIN && isBlockedFor(visit, admission, name, health))
    if (upstream) return { ...block, upstream, why: 'blocked', retryAfterMs }
    if (health.inside < 1 && !isProtected && !mayGoOn(visit, admission, health)) {
      room.votes.noteBlocked(admission.sid, visit)
      return { ...block, why: 'outage', retryAfterMs }
    }
  }
  if (shed?.matches(visit.readings) && !isProtected) {
    const share = shedShare(room.shedder, shed.k)
    noteAsked(room.shedder, visit.nowMs)
    if (share > 0 && Math.random() < share) return { ...block, why: 'shed', retryAfterMs: SHED_RETRY_MS }
  }
  return null
}

/**
 * True if a named upstream is blocked for this request. Its breaker may be open, or may have been open until a moment
 * ago. While it is half-open, some visitors make a trial request, and may go on there afterwards.
 */
function isBlockedFor(
  { nowMs }: Visit,
  { room, sid, why }: Admitted,
  name: string,
  { breakers, back }: HealthSnapshot,
): boolean {
  const { trials } = room
  const breaker = own(breakers, name)
  if (!breaker) {
    const sinceMs = own(back, name)
    return sinceMs !== undefined && lotOf(sid) >= backShare(sinceMs, nowMs) && !trials.has(`${name}/${sid}`)
  }
  if (breaker === 'open') return true
  const justIn = why === 'claimed'
  const who = justIn ? `${room.name}/${name}/newcomers` : `${name}/${sid}`
  if (nowMs - trials.lastMs(who) < (justIn ? TRIAL_OF_NEWCOMERS_MS : TRIAL_OF_ONE_MS)) return true
  if (room.spendOrWaitMs(`trial/${name}`, TRIALS, nowMs) > 0) return true
  trials.note(who, nowMs)
  return false
}

/**
 * Returns the block by an operator that applies to a request without a session. Blocks by health do not apply to it:
 * without sessions there are no samples that could end them.
 */
export function blockedByOperator(visit: Visit, room: RoomClient, upstreams: readonly Upstream[]): Blocked | null {
  const { breakers } = room.settings.health.rules.pins
  const isBlocked = (name: string) => own(breakers, name) === 'open'
  const block = { room, isInside: false, upstream: upstreams[0] as Upstream, retryAfterMs: CLOSED_RETRY_MS }
  const upstream = upstreams.find(({ name }) => name !== ORIGIN && isBlocked(name))
  if (upstream) return { ...block, upstream, why: 'blocked' }
  if (isBlocked(ORIGIN) && !room.settings.isProtected(visit.readings)) return { ...block, why: 'outage' }
  return null
}

/** True if a session may go on during an outage. The isolate remembers which sessions try the origin. */
function mayGoOn(visit: Visit, { room, sid, why }: Admitted, health: HealthSnapshot): boolean {
  const { trials } = room
  if (health.inside <= 0) trials.noteAllBlocked(visit.nowMs)
  else if (why === 'claimed') trials.note(sid, visit.nowMs)
  return goesOn(health, sid, trials.hasTriedNow(sid), () => {
    if (visit.kind === 'subresource' || room.spendOrWaitMs(`trial/${ORIGIN}`, TRIALS, visit.nowMs) > 0) return false
    trials.note(sid, visit.nowMs)
    return true
  })
}
