/**
 * Whether a pass still lets its visitor in: by a lease of this isolate, by one touch of the door, or, while that cannot be asked, on
 * this isolate's own limit.
 */
import type { TouchAnswer } from '../../core/protocol/messages.ts'
import { PASS_ENDS_EARLY_MS, type Pass } from '../../core/ticket.ts'
import { within } from '../../runtime/within.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import { passFor, signPass } from '../../tokens/tokens.ts'
import type { Refusal } from '../limits/limits.ts'
import { bucketOf, covers } from '../limits/session.ts'
import type { Visit } from '../request/visit.ts'
import type { Lease } from '../room-client/memory.ts'
import { type RoomAtEdge, Unreachable } from '../room-client/room-client.ts'
import { goneOf, noteGone } from './ended-session.ts'
import type { Carried } from './presented-tokens.ts'
import type { Admitted, Limited } from './verdict.ts'

/** A verdict that is late binds the next request: this one goes on. */
const TOUCH_FOR_MS = 150
/** A request asks for what it lacks at most so often: others of its session may take it first. */
const ASKS_MAX = 6
/** A protected request keeps its session for so much longer than it must, so that the next ones need not ask. */
const PROTECTED_AHEAD_MS = 1_000
/** Requests of one session that this isolate lets through while its door cannot be asked. */
const FALLBACK_REQUESTS = { intervalMs: 50, burst: 600 }
/** A subresource gets a renewed pass only when the visitor's own is about to end: a cookie makes it uncacheable. */
const SUBRESOURCE_RENEWS_MS = 30_000

/**
 * Returns the lease of a session, while it may be used: its door has seen the session moments ago. That is newer than any
 * pass, so a pass that has expired meanwhile is good with a lease.
 */
export function leaseOn({ nowMs }: Visit, room: RoomAtEdge, sid: string): Lease | null {
  const lease = room.knownSession(sid)
  return lease && lease.untilMs > nowMs ? lease : null
}

/**
 * Whether a session is kept for as long as a protected request wants, by what its door has said a moment ago: otherwise the door must be
 * asked.
 */
export function isKept(room: RoomAtEdge, lease: Lease, nowMs: number): boolean {
  return lease.expiresMs - nowMs >= room.settings.protectedMs
}

/** Asks the door about a session, once. A door that takes long is believed at the next request. */
export async function touch(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  carried: Carried<Pass>,
  isProtected: boolean,
): Promise<Admitted | Limited | { kind: 'gone' }> {
  const { nowMs } = visit
  const { sid, expiresMs } = carried.value
  if (goneOf(room, sid, nowMs)) return { kind: 'gone' }
  const isExpired = expiresMs <= nowMs
  const asking = { wentOn: false }
  const asked = ask(
    visit,
    room,
    carried.value,
    isProtected ? room.settings.protectedMs + PROTECTED_AHEAD_MS : 0,
    asking,
  )
  try {
    const answer = isExpired ? await asked : await soon(asked)
    if (answer === 'late') {
      room.count('late')
      asking.wentOn = true
      // The answer is for the next request: this one stays until it is there.
      visit.waitUntil(asked.catch(() => undefined))
      const refusal = locally(visit, room, sid) ?? room.limits.goOn(visit, room.sessionOf(sid).limits, Date.now())
      if (refusal) return limitedBy(room, sid, refusal)
      return { kind: 'admitted', room, sid, pass: carried.text, isNew: false, fallback: false }
    }
    if (answer.verdict === 'gone') return { kind: 'gone' }
    if (answer.verdict === 'limited') return limitedBy(room, sid, answer.refusal)
    return admitted(visit, room, ring, carried, answer.expiresMs)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    if (isExpired) return { kind: 'gone' }
    return inFallback(visit, room, carried)
  }
}

type Inside = TouchAnswer | { readonly verdict: 'limited'; readonly refusal: Refusal }

/** Asks the door until this request has what it lacks, or is refused: others of its session may be served first. */
async function ask(
  visit: Visit,
  room: RoomAtEdge,
  pass: Pass,
  protectMs: number,
  asking: { readonly wentOn: boolean },
): Promise<Inside> {
  const { sid } = pass
  const wish = room.limits.wish(visit, room.sessionOf(sid).limits, visit.nowMs)
  try {
    for (let asks = 1; ; asks++) {
      const answer = await room.touch(visit, { sid, protectMs: asks === 1 ? protectMs : 0 })
      if (answer.verdict === 'gone') return forget(room, pass, answer)
      // Time has passed: a lease may not be used beyond its end.
      const taken = room.limits.take(visit, room.sessionOf(sid).limits, Date.now(), asking.wentOn)
      if (taken === 'taken') return answer
      if (taken !== 'ask') return { verdict: 'limited', refusal: taken }
      if (asks === ASKS_MAX) throw new Unreachable(`no tokens for ${sid} after ${asks} answers`)
    }
  } finally {
    room.limits.unwish(wish)
    room.report(visit)
  }
}

export function limitedBy(room: RoomAtEdge, sid: string | null, refusal: Refusal): Limited {
  return { kind: 'limited', retryAfterMs: refusal.retryAfterMs, by: { room, sid, refusal } }
}

/** The door cannot be asked: each policy of the room holds for this isolate by itself. */
function locally(visit: Visit, room: RoomAtEdge, sid: string): Refusal | null {
  const { policies, figures } = room.limits
  for (const [i, policy] of policies.entries()) {
    if (!covers(policy, visit)) continue
    const bucket = policy.perPath ? bucketOf(policy, visit) : policy.name
    const retryAfterMs = room.spend(`limit/${bucket}/${sid}`, policy.quota, visit.nowMs, policy.cost)
    if (retryAfterMs > 0 && !policy.isShadow) return { policy, name: policy.name, retryAfterMs }
    figures.add(i, retryAfterMs > 0 ? 'shadow' : 'fallback')
  }
  return null
}

/** An active session's lease is renewed shortly before its end, along with others: its requests never wait for it. */
export function renewLease(visit: Visit, room: RoomAtEdge, pass: Pass): void {
  room.touchLater(visit, { sid: pass.sid, protectMs: 0 }, answer => {
    if (answer.verdict === 'gone') forget(room, pass, answer)
  })
}

function forget(room: RoomAtEdge, { sid, expiresMs }: Pass, answer: TouchAnswer & { verdict: 'gone' }): TouchAnswer {
  const nowMs = Date.now()
  room.memory.leases.delete(sid)
  noteGone(room, sid, { again: answer.again, forMs: expiresMs - nowMs }, nowMs)
  return answer
}

/** The door cannot be asked: a pass that has not expired goes through on this isolate's own limit. */
function inFallback(visit: Visit, room: RoomAtEdge, carried: Carried<Pass>): Admitted | Limited {
  room.count('fallback')
  const { sid } = carried.value
  const refusal = locally(visit, room, sid)
  if (refusal) return limitedBy(room, sid, refusal)
  const retryAfterMs = room.spend(`fallback/${sid}`, FALLBACK_REQUESTS, visit.nowMs)
  if (retryAfterMs > 0) return limitedBy(room, sid, { policy: null, name: 'fallback', retryAfterMs })
  return { kind: 'admitted', room, sid, pass: carried.text, isNew: false, fallback: true }
}

/** The verdict for a live session, with a renewed pass when its door has moved the end. */
export async function admitted(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  carried: Carried<Pass>,
  doorExpiresMs: number,
): Promise<Admitted> {
  const { sid, generation, expiresMs } = carried.value
  const same = { kind: 'admitted', room, sid, pass: carried.text, isNew: false, fallback: false } as const
  if (doorExpiresMs - PASS_ENDS_EARLY_MS - expiresMs < 1_000) return same
  if (visit.kind === 'subresource' && expiresMs - visit.nowMs > SUBRESOURCE_RENEWS_MS) return same
  const lease = room.memory.leases.get(sid)
  const pass = passFor(room.name, sid, generation, visit.nowMs, doorExpiresMs)
  const known = lease?.token ? await room.read(ring, lease.token, visit.nowMs) : null
  const isKnown = known?.kind === 'pass' && pass.expiresMs - known.pass.expiresMs < 1_000
  const token = isKnown && lease ? lease.token : await signedPass(room, ring, pass)
  if (lease) lease.token = token
  return { kind: 'admitted', room, sid, pass: token, isNew: true, fallback: false }
}

export async function signedPass(room: RoomAtEdge, ring: KeyRing, pass: Pass): Promise<string> {
  const text = await signPass(ring, pass)
  room.know(text, { kind: 'pass', pass })
  return text
}

/** What a request waits for only so long. */
export function soon<Value>(promise: Promise<Value>): Promise<Value | 'late'> {
  return within(TOUCH_FOR_MS, promise)
}
