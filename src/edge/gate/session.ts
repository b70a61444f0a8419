/**
 * Decides whether a pass still admits its visitor. A lease of this isolate decides first, then the door. If the door
 * cannot be asked, this isolate's own limit decides.
 */
import { CALLS_MAX } from '../../core/limits/token-lease.ts'
import type { RenewalAnswer } from '../../core/protocol/messages.ts'
import { PASS_ENDS_EARLY_MS, type Pass } from '../../core/ticket.ts'
import { within } from '../../runtime/within.ts'
import { passFor } from '../../tokens/tokens.ts'
import { type Refusal, refusedBy } from '../limits/refusal.ts'
import { covers, policyBucketOf } from '../limits/session.ts'
import type { Visit } from '../request/visit.ts'
import type { SessionMemory } from '../room-client/memory.ts'
import { type RoomClient, Unreachable } from '../room-client/room-client.ts'
import { isWaitPage } from './confirm.ts'
import type { Carried } from './presented-tokens.ts'
import { type Admitted, type Limited, limitedBy, type WhyAdmitted } from './verdict.ts'

/** A request waits this long for its door, then goes on. If the answer comes later, it applies to the next request. */
const DOOR_AWAITED_MS = 150
/** A protected request extends its session by this much more than it needs, so that the next ones need no call. */
const PROTECTED_AHEAD_MS = 1_000
/**
 * The requests of one session that this isolate lets through while its door cannot be asked: 600 at once, then 20 per
 * second.
 */
const FALLBACK_REQUESTS = { intervalMs: 50, burst: 600 }
/**
 * A request for a part of a page gets a renewed pass only if the visitor's own ends within 30 s: a cookie makes the
 * answer uncacheable.
 */
const SUBRESOURCE_RENEWS_MS = 30_000

/**
 * Returns the lease of a session while it may be used: its door has confirmed the session moments ago. The lease is
 * newer than any pass, so even an expired pass is good while there is a lease.
 */
export function leaseOn({ nowMs }: Visit, room: RoomClient, sid: string): SessionMemory | null {
  const lease = room.sessions.known(sid)
  return lease && lease.untilMs > nowMs ? lease : null
}

/**
 * True if the door's last answer keeps a session for as long as a protected request needs. Otherwise the door must be
 * asked.
 */
export function isKept(room: RoomClient, lease: SessionMemory, nowMs: number): boolean {
  return lease.expiresMs - nowMs >= room.settings.protectedMs
}

/**
 * Asks the door about a session. After 150 ms the request goes on without the answer, unless its pass has expired.
 * Returns null when the session is over.
 */
export async function askDoor(
  visit: Visit,
  room: RoomClient,
  carried: Carried<Pass>,
): Promise<Admitted | Limited | null> {
  const { sid, expiresMs } = carried.value
  if (room.ended.find(sid, visit.nowMs)) return null
  const isExpired = expiresMs <= visit.nowMs
  const isProtected = room.settings.isProtected(visit.readings)
  const renewing = { protectMs: isProtected ? room.settings.protectedMs + PROTECTED_AHEAD_MS : 0, wentOn: false }
  const asked = renewWithTokens(visit, room, carried.value, renewing)
  try {
    const answer = isExpired ? await asked : await awaitBriefly(asked)
    if (answer === 'late') {
      room.count('late')
      renewing.wentOn = true
      // The answer is for the next request. `waitUntil` keeps this request alive until the answer arrives.
      visit.waitUntil(asked.catch(() => undefined))
      const refusal = locally(visit, room, sid) ?? room.limits.goOn(visit, room.sessions.of(sid).limits, Date.now())
      return refusal ? limitedBy(room, sid, refusal) : unchanged(room, carried, 'door-late')
    }
    if (answer.verdict === 'ended') return null
    if (answer.verdict === 'limited') return limitedBy(room, sid, answer.refusal)
    return await admitted(visit, room, carried, { why: 'renewed', doorExpiresMs: answer.expiresMs })
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return isExpired ? null : inFallback(visit, room, carried)
  }
}

type Renewed = RenewalAnswer | { readonly verdict: 'limited'; readonly refusal: Refusal }

/**
 * Renews the session until this request has its missing tokens, or is refused. The tokens of one answer may go to other
 * requests of the session first.
 */
async function renewWithTokens(
  visit: Visit,
  room: RoomClient,
  pass: Pass,
  renewing: { readonly protectMs: number; readonly wentOn: boolean },
): Promise<Renewed> {
  const { sid } = pass
  const wish = room.limits.wish(visit, room.sessions.of(sid).limits, visit.nowMs)
  try {
    for (let calls = 1; ; calls++) {
      const answer = await room.sessions.renew(visit, { sid, protectMs: calls === 1 ? renewing.protectMs : 0 })
      if (answer.verdict === 'ended') return noteEnded(room, pass, answer)
      // The clock is read again, because a lease must not be used beyond its end.
      const taken = room.limits.take(visit, room.sessions.of(sid).limits, Date.now(), renewing.wentOn)
      if (taken === 'taken') return answer
      if (taken !== 'short') return { verdict: 'limited', refusal: taken }
      if (calls === CALLS_MAX) throw new Unreachable(`no tokens after ${calls} answers`)
    }
  } finally {
    room.limits.unwish(wish)
    room.sync.report(visit)
  }
}

/**
 * Applies each policy of the room at this isolate alone, because the door cannot be asked. Returns the refusal, or null
 * if the request may go on.
 */
function locally(visit: Visit, room: RoomClient, sid: string): Refusal | null {
  const { policies, stats } = room.limits
  for (const [i, policy] of policies.entries()) {
    if (!covers(policy, visit)) continue
    const bucket = policy.perPath ? policyBucketOf(policy, visit) : policy.name
    const retryAfterMs = room.spendOrWaitMs(`limit/${bucket}/${sid}`, policy.quota, visit.nowMs, policy.cost)
    if (retryAfterMs > 0 && !policy.isShadow) return refusedBy(policy, retryAfterMs)
    stats.add(i, retryAfterMs > 0 ? 'shadow' : 'fallback')
  }
  return null
}

/**
 * Renews the lease of an active session shortly before it ends, together with other leases. No request waits for this.
 */
export function renewLease(visit: Visit, room: RoomClient, pass: Pass): void {
  room.sessions.renewLater(visit, { sid: pass.sid, protectMs: 0 }, answer => {
    if (answer.verdict === 'ended') noteEnded(room, pass, answer)
  })
}

function noteEnded(
  room: RoomClient,
  { sid, expiresMs }: Pass,
  answer: RenewalAnswer & { verdict: 'ended' },
): RenewalAnswer {
  const nowMs = Date.now()
  room.sessions.drop(sid)
  const { again, byInactivity } = answer
  room.ended.note(sid, { again, byInactivity, forMs: expiresMs - nowMs }, nowMs)
  return answer
}

/** Admits a pass that has not expired, within this isolate's own limit, because the door cannot be asked. */
function inFallback(visit: Visit, room: RoomClient, carried: Carried<Pass>): Admitted | Limited {
  room.count('fallback')
  const { sid } = carried.value
  const refusal = locally(visit, room, sid)
  if (refusal) return limitedBy(room, sid, refusal)
  const retryAfterMs = room.spendOrWaitMs(`fallback/${sid}`, FALLBACK_REQUESTS, visit.nowMs)
  if (retryAfterMs > 0)
    return limitedBy(room, sid, { policy: null, name: 'fallback', why: 'door-silent', retryAfterMs })
  return unchanged(room, carried, 'door-silent')
}

/** Returns the verdict for a live session. It has a new pass if the door has moved the end by a second or more. */
export async function admitted(
  visit: Visit,
  room: RoomClient,
  carried: Carried<Pass>,
  { why, doorExpiresMs }: { readonly why: WhyAdmitted; readonly doorExpiresMs: number },
): Promise<Admitted> {
  const { sid, generation, expiresMs, referrer = null } = carried.value
  const isSubresource = visit.kind === 'subresource'
  // The referrer goes to the origin with a page of the site, not with a part of a page or with our own page.
  const isKeptBack = isSubresource || isWaitPage(visit)
  // A pass with a referrer is soon replaced by one without it, so that only the first requests of a session have it.
  const isKept = doorExpiresMs - PASS_ENDS_EARLY_MS - expiresMs < 1_000 && (referrer === null || isKeptBack)
  if (isKept || (isSubresource && expiresMs - visit.nowMs > SUBRESOURCE_RENEWS_MS)) return unchanged(room, carried, why)
  const session = room.sessions.peek(sid)
  const kept = isKeptBack && referrer !== null ? { referrer } : {}
  const pass = passFor({ room: room.name, sid, ...kept, generation, issuedMs: visit.nowMs }, doorExpiresMs)
  const known = session?.token ? await room.tokens.read(session.token, visit.nowMs) : null
  const isKnown =
    known?.kind === 'pass' && pass.expiresMs - known.pass.expiresMs < 1_000 && known.pass.referrer === pass.referrer
  const token = isKnown && session ? session.token : await room.tokens.signPass(pass)
  room.sessions.notePass(sid, token)
  return { kind: 'admitted', why, room, sid, pass: token, isNew: true, referrer: isKeptBack ? null : referrer }
}

/** Returns the verdict for a session whose visitor keeps the pass. */
function unchanged(room: RoomClient, { value, text }: Carried<Pass>, why: WhyAdmitted): Admitted {
  return { kind: 'admitted', why, room, sid: value.sid, pass: text, isNew: false, referrer: null }
}

/** Waits for a promise, but at most 150 ms. After that returns `late`. */
export function awaitBriefly<Value>(promise: Promise<Value>): Promise<Value | 'late'> {
  return within(DOOR_AWAITED_MS, promise)
}
