/**
 * What an admitted visitor gets when a request is not sent on: the origin is down, an upstream is closed, or what can wait is
 * shed. The session goes on.
 */
import { lotOf } from '../../core/hash.ts'
import { noteAsked, shedShare } from '../../core/health/client-throttle.ts'
import { backShare, type HealthView } from '../../core/health/effect.ts'
import { ORIGIN } from '../../core/health/samples.ts'
import { own } from '../../core/own.ts'
import type { Upstream } from '../../settings/compiled/health.ts'
import type { Admitted } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomAtEdge } from '../room-client/room-client.ts'

export type Held = {
  readonly room: RoomAtEdge
  /** Whether the visitor has a session, which goes on. */
  readonly isInside: boolean
  readonly upstream: Upstream
  /** `outage`: all of the origin. `closed`: this upstream. `shed`: what can wait. */
  readonly why: 'outage' | 'closed' | 'shed'
  readonly retryAfterMs: number
}

/** Requests of an isolate that try what is half-open: one at once, then one a window. */
const TRIALS = { intervalMs: 5_000, burst: 1 }
/** One visitor who tries again and again must not take all of them, nor newcomers, who may be one. */
const TRIAL_OF_ONE_MS = 10_000
const TRIAL_OF_NEWCOMERS_MS = 20_000
const SHED_RETRY_MS = 5_000
/** What is closed by hand is opened by hand. */
const CLOSED_RETRY_MS = 10_000

/** Whether this request must not go to its upstream now; null, nearly always, for one that goes on. */
export function heldBack(visit: Visit, admission: Admitted, upstreams: readonly Upstream[]): Held | null {
  const { room } = admission
  const health = room.view?.health
  const { shed } = room.settings.health
  if (!health && !shed) return null
  // A shopper who pays goes through, whatever is the matter.
  const isProtected = room.settings.isProtected(visit.readings)
  const held = { room, isInside: true, upstream: upstreams[0] as Upstream }
  if (health) {
    const { retryAfterMs } = health
    const closed = upstreams.find(({ name }) => name !== ORIGIN && isClosedFor(visit, admission, name, health))
    if (closed) return { ...held, upstream: closed, why: 'closed', retryAfterMs }
    if (health.inside < 1 && !isProtected && !goesOn(visit, admission, health))
      return { ...held, why: 'outage', retryAfterMs }
  }
  if (shed?.matches(visit.readings) && !isProtected) {
    const share = shedShare(room.shedder, shed.k)
    noteAsked(room.shedder, visit.nowMs)
    if (share > 0 && Math.random() < share) return { ...held, why: 'shed', retryAfterMs: SHED_RETRY_MS }
  }
  return null
}

/** A named upstream is out, or was until a moment ago; of what is half-open some try how it is, and go on there afterwards. */
function isClosedFor(
  { nowMs }: Visit,
  { room, sid, justIn }: Admitted,
  name: string,
  { breakers, back }: HealthView,
): boolean {
  const { trials } = room.memory
  const breaker = own(breakers, name)
  if (!breaker) {
    const sinceMs = own(back, name)
    return sinceMs !== undefined && lotOf(sid) >= backShare(sinceMs, nowMs) && !trials.has(`${name}/${sid}`)
  }
  if (breaker === 'open') return true
  const who = justIn ? `${room.name}/${name}/newcomers` : `${name}/${sid}`
  const triedMs = trials.get(who) ?? Number.NEGATIVE_INFINITY
  if (nowMs - triedMs < (justIn ? TRIAL_OF_NEWCOMERS_MS : TRIAL_OF_ONE_MS)) return true
  if (room.spend(`trial/${name}`, TRIALS, nowMs) > 0) return true
  trials.set(who, nowMs)
  return false
}

/**
 * Whoever passes through without a session is held by what the operator has closed, and by nothing that health has found: without sessions there are no
 * samples that could say when it is over.
 */
export function closedByHand(visit: Visit, room: RoomAtEdge, upstreams: readonly Upstream[]): Held | null {
  const { breakers } = room.settings.health.rules.pins
  const isClosed = (name: string) => own(breakers, name) === 'open'
  const held = { room, isInside: false, upstream: upstreams[0] as Upstream, retryAfterMs: CLOSED_RETRY_MS }
  const closed = upstreams.find(({ name }) => name !== ORIGIN && isClosed(name))
  if (closed) return { ...held, upstream: closed, why: 'closed' }
  if (isClosed(ORIGIN) && !room.settings.isProtected(visit.readings)) return { ...held, why: 'outage' }
  return null
}

/**
 * Those let in while the origin is tried are the trial; of the others a share, the same sessions all along. A room may be so
 * small that nobody is of that share, and nobody new comes: then each isolate has somebody try.
 */
function goesOn(visit: Visit, { room, sid, justIn }: Admitted, { inside, breakers }: HealthView): boolean {
  const { trials } = room.memory
  if (inside <= 0) {
    room.allHeldMs = visit.nowMs
    return false
  }
  if (justIn) trials.set(sid, visit.nowMs)
  if ((trials.get(sid) ?? Number.NEGATIVE_INFINITY) > room.allHeldMs || lotOf(sid) < inside) return true
  if (breakers[ORIGIN] !== 'half-open' || visit.kind === 'subresource') return false
  if (room.spend(`trial/${ORIGIN}`, TRIALS, visit.nowMs) > 0) return false
  trials.set(sid, visit.nowMs)
  return true
}
