/**
 * Times the answers of the origin up to the first byte, for the room's health. No request waits for this: a sample is a
 * counter in the next report.
 *
 * Some answers are not counted: from a cache, 4xx, event streams, WebSockets, and to visitors who went away. One
 * session counts only a few times in each window.
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
import type { SessionMemory } from '../room-client/memory.ts'
import type { Passage } from './onward.ts'
import type { Patience, ProxyOutcome } from './proxy.ts'

/** The quota of failure reports of one isolate: eight at once, then one a second. */
const COMPLAINTS = { intervalMs: 1_000, burst: 8 }
/**
 * The quota of losses that one isolate reports with their session: 40 at once, then 10 per second. Where there are
 * more, no single session causes most of them.
 */
const LOSSES = { intervalMs: 100, burst: 40 }

/** A request that was sent on, for one room that has admitted it. */
interface Sent {
  readonly admission: Admitted
  readonly upstream: Upstream
  /**
   * Counts the session's samples. It is looked up once, so that a session that ends meanwhile adds no more samples with
   * its open requests.
   */
  readonly lease: SessionMemory | undefined
  /** Whether the request was counted as late before it was answered. */
  isLate: boolean
}

/** Watches one request that goes to the origin. */
export class Watch implements Patience {
  readonly timeoutMs: number
  overdueMs = Number.POSITIVE_INFINITY
  readonly #visit: Visit
  readonly #sent: Sent[] = []
  readonly #cameMs: number
  /** When the whole request was sent, null before that. */
  #allSentMs: number | null = null

  constructor(visit: Visit, passages: readonly Passage[], timeoutMs: number) {
    this.#visit = visit
    this.timeoutMs = timeoutMs
    for (const { verdict: admission, upstream } of passages) {
      if (admission.kind !== 'admitted') continue
      if (admission.room.settings.health.rules.mode === 'off') continue
      const lease = admission.room.sessions.peek(admission.sid)
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

  /** Counts a late answer at once: an origin that hangs must be noticed before its requests time out. */
  overdue(): void {
    if (this.#visit.isWebSocket || isEventStream(this.#visit.request.headers.get('Accept'))) return
    for (const sent of this.#sent) sent.isLate = this.#note(sent, 'frustrated')
  }

  /** Called when the first byte has come, or when none will come. */
  ended(outcome: ProxyOutcome): void {
    if (outcome.kind === 'failed') {
      // A visitor who sends slowly gives no sample of the origin.
      if (outcome.why === 'timeout' && this.#allSentMs === null) return
      // A visitor who goes away ends the connection, so this is no failure of the origin.
      if (this.#sent.length > 0 && !this.#visit.request.signal.aborted) this.#failed()
      return
    }
    const { status, headers } = outcome.response
    // The cache answered: the upstream has neither failed nor answered.
    if (isFromCache(headers) && status >= 500) return
    if (status >= 500 || status === 429) this.#noteRetryAfter(headers)
    if (status >= 500) this.#failed()
    else for (const sent of this.#sent) this.#answered(sent, status, headers)
  }

  /** Called when the origin began an answer and then stopped. */
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
    // An answer before the whole request was sent took as long as its visitor did. Only a quick one is a sample of the
    // origin.
    const isOfOrigin = this.#allSentMs !== null || outcome === 'satisfied'
    const isSample = isOk && !isLate && isOfOrigin && isTimed(status, headers)
    if (isSample && this.#note(sent, outcome)) return
    if (!upstream.tellsSessions || isFromCache(headers)) return
    admission.room.count(cellOf(upstream.name, isLate ? 'came-late' : 'answered', tookMs, this.#sentMs))
    admission.room.sync.report(this.#visit)
  }

  /** The time from which the answer's duration counts. */
  get #beganMs(): number {
    return this.#allSentMs ?? this.#cameMs
  }

  /** The time when the request was sent. A request that is not all sent yet counts as sent now. */
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
      // Where few sessions use an upstream, each one counts. Sessions that have just come in do not: one visitor can
      // have many of them.
      if (upstream.tellsSessions && admission.why !== 'claimed') this.#complain(sent)
    }
  }

  /** Reports that a session has a complaint, at most once in each window and within the isolate's quota. */
  #complain(sent: Sent): void {
    const { admission, upstream } = sent
    const { room, sid } = admission
    const lease = leaseOf(sent)
    const window = windowOf(Date.now())
    if (lease.toldWindow === window) return
    lease.toldWindow = window
    if (room.spend(`complaint/${upstream.name}`, COMPLAINTS, this.#visit.nowMs) > 0) return
    room.count(complaintOf(upstream.name, sid, this.#sentMs))
    room.sync.report(this.#visit)
  }

  /** Reports a loss with its session, so that one session with losses at many isolates is known to be one. */
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

  /** Counts a sample, unless its session has had its share of this window. Returns whether it counted. */
  #note(sent: Sent, outcome: Outcome): boolean {
    const { admission, upstream } = sent
    const { room } = admission
    const nowMs = Date.now()
    const isBad = outcome === 'failed' || outcome === 'frustrated'
    if (!takesTurn(leaseOf(sent), nowMs, isBad && upstream.name !== ORIGIN)) return false
    if (isBad && upstream.name === ORIGIN) this.#complain(sent)
    if (outcome !== 'satisfied') this.#tellLoss(sent, lossBy(outcome), outcome === 'failed')
    room.count(cellOf(upstream.name, outcome, nowMs - this.#beganMs, this.#sentMs))
    // A good sample of the origin goes with the next request's report. A bad one, or any from an upstream with few
    // requests, may have no next request to go with.
    if (outcome !== 'satisfied' || upstream.tellsSessions || room.snapshot?.health) room.sync.report(this.#visit)
    return true
  }
}

function leaseOf({ lease, admission: { room, sid } }: Sent): SessionMemory {
  return lease ?? room.sessions.of(sid)
}

function windowOf(nowMs: number): number {
  return Math.floor(nowMs / WINDOW_MS)
}

/**
 * Whether a session may add a sample in this window. It may add only one bad sample of a named upstream, where few
 * sessions are and each one counts.
 */
function takesTurn(lease: SessionMemory, nowMs: number, isBadOfFew: boolean): boolean {
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

/** Whether the time to the first byte of an answer is a sample of the origin. */
function isTimed(status: number, headers: Headers): boolean {
  return status !== 101 && !isFromCache(headers) && !isEventStream(headers.get('Content-Type'))
}

function isFromCache(headers: Headers): boolean {
  return headers.get('CF-Cache-Status') === 'HIT'
}

function isEventStream(type: string | null): boolean {
  return type?.includes('text/event-stream') ?? false
}
