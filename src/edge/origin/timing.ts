/**
 * Times origin answers for the room's health, to the first byte. Nothing of it is in the way of a request: a sample is a
 * counter of the next report.
 *
 * Not counted are answers from a cache, 4xx, event streams, WebSockets, visitors who went away, and more than a few of one
 * session.
 */

import { noteOk } from '../../core/health/client-throttle.ts'
import {
  cellOf,
  complaintOf,
  faultOf,
  lossBy,
  lossOf,
  ORIGIN,
  type Outcome,
  outcomeOf,
  SAMPLES_PER_SESSION,
  WINDOW_MS,
} from '../../core/health/samples.ts'
import type { Upstream } from '../../settings/compiled/health.ts'
import type { Admitted } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import type { Lease } from '../room-client/memory.ts'
import type { Passage } from './onward.ts'
import type { Patience, ProxyOutcome } from './proxy.ts'

/** Complaints of an isolate: eight at once, then one a second. */
const COMPLAINTS = { intervalMs: 1_000, burst: 8 }
/** Losses that an isolate tells apart by session: where there are more, nobody is most of them. */
const LOSSES = { intervalMs: 100, burst: 40 }

/** A request on its way, for one room that has admitted it. */
interface Sent {
  readonly admission: Admitted
  readonly upstream: Upstream
  /** Counts what the session has said. It is looked up once: a session that ends while it has requests under way says no more by them. */
  readonly lease: Lease | undefined
  /** It was late enough to count before it was answered. */
  isLate: boolean
}

/** Watches one request that goes to the origin. */
export class Watch implements Patience {
  readonly timeoutMs: number
  overdueMs = Number.POSITIVE_INFINITY
  readonly #visit: Visit
  readonly #sent: Sent[] = []
  readonly #cameMs: number
  /** When all of it was sent, null before that. */
  #allSentMs: number | null = null

  constructor(visit: Visit, passages: readonly Passage[], timeoutMs: number) {
    this.#visit = visit
    this.timeoutMs = timeoutMs
    for (const { verdict: admission, upstream } of passages) {
      if (admission.kind !== 'admitted') continue
      if (admission.room.settings.health.rules.mode === 'off') continue
      const lease = admission.room.memory.leases.peek(admission.sid)
      this.#sent.push({ admission, upstream, lease, isLate: false })
      // Where rooms overlap, the most patient one decides.
      const overdueMs = 4 * upstream.targetMs
      this.overdueMs = this.#sent.length === 1 ? overdueMs : Math.max(this.overdueMs, overdueMs)
    }
    this.#cameMs = this.#sent.length > 0 ? Date.now() : 0
  }

  began(): void {
    this.#allSentMs = this.#sent.length > 0 ? Date.now() : 0
  }

  /** An answer that is late counts at once: an origin that hangs must be felt before its timeouts. */
  overdue(): void {
    if (this.#visit.isWebSocket || isEventStream(this.#visit.request.headers.get('Accept'))) return
    for (const sent of this.#sent) sent.isLate = this.#note(sent, 'frustrated')
  }

  /** The first byte is here, or none will come. */
  ended(outcome: ProxyOutcome): void {
    if (outcome.kind === 'failed') {
      // Who is long in sending says nothing of the origin.
      if (outcome.why === 'timeout' && this.#allSentMs === null) return
      // Who went away takes the connection along.
      if (this.#sent.length > 0 && !this.#visit.request.signal.aborted) this.#failed()
      return
    }
    const { status, headers } = outcome.response
    // An upstream that was not asked has neither failed nor answered.
    if (isFromCache(headers) && status >= 500) return
    if (status >= 500 || status === 429) this.#noteRetryAfter(headers)
    if (status >= 500) this.#failed()
    else for (const sent of this.#sent) this.#answered(sent, status, headers)
  }

  /** The origin began an answer and stopped. */
  stopped(): void {
    for (const sent of this.#sent) this.#note(sent, 'failed')
  }

  #answered(sent: Sent, status: number, headers: Headers): void {
    const { admission, upstream, isLate } = sent
    const { shedder, settings } = admission.room
    const tookMs = Date.now() - this.#beganMs
    const isOk = status < 400
    if (isOk && settings.health.shed) noteOk(shedder, Date.now())
    const outcome = outcomeOf(tookMs, upstream.targetMs)
    // Before it is all there, an answer took as long as its visitor did: only a quick one says something.
    const isOfOrigin = this.#allSentMs !== null || outcome === 'satisfied'
    const isSample = isOk && !isLate && isOfOrigin && isTimed(status, headers)
    if (isSample && this.#note(sent, outcome)) return
    if (!upstream.tellsSessions || isFromCache(headers)) return
    admission.room.count(cellOf(upstream.name, isLate ? 'came-late' : 'answered', tookMs, this.#sentMs))
    admission.room.report(this.#visit)
  }

  /** What an answer's time is counted from. */
  get #beganMs(): number {
    return this.#allSentMs ?? this.#cameMs
  }

  /** What is not all sent yet is being sent now. */
  get #sentMs(): number {
    return this.#allSentMs ?? Date.now()
  }

  #failed(): void {
    for (const sent of this.#sent) {
      const { admission, upstream, isLate } = sent
      if (isLate) {
        admission.room.count(cellOf(upstream.name, 'turned-failed', 0, this.#sentMs))
        this.#tellLoss(sent, 0, true)
      } else this.#note(sent, 'failed')
      // Where few ask each session counts, but for those that have just come in: anybody can have many of them.
      if (upstream.tellsSessions && !admission.justIn) this.#complain(sent)
    }
  }

  /** Tells the sessions apart that have something bad to say: each once a window, and no more of them than are needed. */
  #complain(sent: Sent): void {
    const { admission, upstream } = sent
    const { room, sid } = admission
    const lease = leaseOf(sent)
    const window = windowOf(Date.now())
    if (lease.toldWindow === window) return
    lease.toldWindow = window
    if (room.spend(`complaint/${upstream.name}`, COMPLAINTS, this.#visit.nowMs) > 0) return
    room.count(complaintOf(upstream.name, sid, this.#sentMs))
    room.report(this.#visit)
  }

  /** Tells whose it was, so that one session that is heard at many isolates is known to be one. */
  #tellLoss({ admission, upstream }: Sent, loss: number, isFailure: boolean): void {
    const { room, sid } = admission
    if (room.spend(`loss/${upstream.name}`, LOSSES, this.#visit.nowMs) > 0) return
    if (loss > 0) room.count(lossOf(upstream.name, sid, this.#sentMs), loss)
    if (isFailure) room.count(faultOf(upstream.name, sid, this.#sentMs))
  }

  #noteRetryAfter(headers: Headers): void {
    const seconds = Number(headers.get('Retry-After') ?? 0)
    if (!(seconds > 0)) return
    for (const { admission, upstream } of this.#sent)
      admission.room.count(cellOf(upstream.name, 'retry-after', seconds * 1_000, this.#sentMs))
  }

  /** Counts a sample, unless its session has had its share of this window; tells whether it did. */
  #note(sent: Sent, outcome: Outcome): boolean {
    const { admission, upstream } = sent
    const { room } = admission
    const nowMs = Date.now()
    const isBad = outcome === 'failed' || outcome === 'frustrated'
    if (!takesTurn(leaseOf(sent), nowMs, isBad && upstream.name !== ORIGIN)) return false
    if (isBad && upstream.name === ORIGIN) this.#complain(sent)
    if (outcome !== 'satisfied') this.#tellLoss(sent, lossBy(outcome), outcome === 'failed')
    room.count(cellOf(upstream.name, outcome, nowMs - this.#beganMs, this.#sentMs))
    // Good news of the origin travels with the next request; bad news, or any where few ask, may have none to travel with.
    if (outcome !== 'satisfied' || upstream.tellsSessions || room.view?.health) room.report(this.#visit)
    return true
  }
}

function leaseOf({ lease, admission: { room, sid } }: Sent): Lease {
  return lease ?? room.sessionOf(sid)
}

function windowOf(nowMs: number): number {
  return Math.floor(nowMs / WINDOW_MS)
}

/** Where few ask, each counts: one session says nothing bad of a named upstream twice in a window. */
function takesTurn(lease: Lease, nowMs: number, isBadOfFew: boolean): boolean {
  const window = windowOf(nowMs)
  if (lease.sampledWindow !== window) {
    lease.sampledWindow = window
    lease.samples = 0
  }
  if (lease.samples >= SAMPLES_PER_SESSION || (isBadOfFew && lease.complainedWindow === window)) return false
  if (isBadOfFew) lease.complainedWindow = window
  lease.samples++
  return true
}

/** An answer whose first byte says how the origin does. */
function isTimed(status: number, headers: Headers): boolean {
  return status !== 101 && !isFromCache(headers) && !isEventStream(headers.get('Content-Type'))
}

function isFromCache(headers: Headers): boolean {
  return headers.get('CF-Cache-Status') === 'HIT'
}

function isEventStream(type: string | null): boolean {
  return type?.includes('text/event-stream') ?? false
}
