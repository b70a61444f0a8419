/**
 * Times the answers of the origin up to the first byte, for the room's health. No request waits for this: a sample is a
 * counter in the next report, and a vote of its session.
 *
 * Some answers are no samples: those from a cache, 4xx, event streams, WebSockets. A visitor who leaves before an
 * answer votes with the time waited so far.
 */

import { ORIGIN, type Outcome, outcomeOf } from '../../core/health/outcome.ts'
import type { SampleMark } from '../../core/history/samples.ts'
import { cellOf } from '../../core/protocol/health-cells.ts'
import type { Upstream } from '../../settings/compiled/health.ts'
import type { Admitted } from '../gate/verdict.ts'
import { noteOk } from '../limits/client-throttle.ts'
import type { Visit } from '../request/visit.ts'
import type { Sampled } from '../room-client/ballots.ts'
import type { Passage } from './onward.ts'
import type { Patience, ProxyOutcome } from './proxy.ts'

/** A request that was sent on. A request under several rooms has one of these for each room. */
interface Sent {
  readonly admission: Admitted
  readonly upstream: Upstream
  /** The voter. Null if the room is so large that this session does not vote. */
  readonly voter: Pick<Sampled, 'lot' | 'own'> | null
  /** True if the request was counted as late before it was answered. */
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
      const { room, sid, why } = admission
      if (room.settings.health.rules.mode === 'off') continue
      this.#sent.push({ admission, upstream, voter: room.votes.voter(sid, why === 'claimed', visit), isLate: false })
      // If rooms overlap, the longest patience decides.
      const overdueMs = 4 * upstream.targetMs
      this.overdueMs = this.#sent.length === 1 ? overdueMs : Math.max(this.overdueMs, overdueMs)
    }
    this.#cameMs = this.#sent.length > 0 ? Date.now() : 0
  }

  began(): void {
    this.#allSentMs = this.#sent.length > 0 ? Date.now() : 0
  }

  /** Counts a late answer at once. Otherwise an origin that hangs would be noticed only when its requests time out. */
  overdue(): void {
    if (this.#isStream) return
    for (const sent of this.#sent) {
      this.#note(sent, 'frustrated')
      sent.isLate = true
    }
  }

  /** Called when the first byte has come, or when none will come. */
  ended(outcome: ProxyOutcome): void {
    if (this.#sent.length === 0) return
    if (outcome.kind === 'failed') {
      if (this.#visit.request.signal.aborted) this.#gaveUp()
      // If the visitor was still sending, the timeout is no sample of the origin.
      else if (outcome.why !== 'timeout' || this.#allSentMs !== null) this.#failed()
      return
    }
    const { status, headers } = outcome.response
    // The answer came from the cache, so it shows nothing about the upstream.
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
    // An answer that came before the whole request was sent depends on the visitor's speed. Only a quick one is a
    // sample of the origin.
    const isOfOrigin = this.#allSentMs !== null || outcome === 'satisfied'
    if (isOk && !isLate && isOfOrigin && isTimed(status, headers)) this.#note(sent, outcome)
    else if (upstream.name !== ORIGIN && !isFromCache(headers)) this.#noteAnswer(sent)
  }

  /** Notes that a named upstream is alive, although this answer is no sample. */
  #noteAnswer({ admission, upstream, voter }: Sent): void {
    const { room } = admission
    if (voter) room.votes.note(upstream.name, voter.lot, this.#sentMs)
    room.sync.report(this.#visit)
  }

  /** The time from which the answer's duration counts. */
  get #beganMs(): number {
    return this.#allSentMs ?? this.#cameMs
  }

  /** The time at which the request was sent. While a part of it is still to be sent, this is the present time. */
  get #sentMs(): number {
    return this.#allSentMs ?? Date.now()
  }

  get #isStream(): boolean {
    return this.#visit.isWebSocket || isEventStream(this.#visit.request.headers.get('Accept'))
  }

  #failed(): void {
    for (const sent of this.#sent) this.#note(sent, sent.isLate ? 'turned-failed' : 'failed')
  }

  /**
   * The visitor left without an answer. Leaving within the target time is no sample of the origin. Leaving later means
   * that the visitor has waited in vain.
   */
  #gaveUp(): void {
    if (this.#isStream || this.#allSentMs === null) return
    const waitedMs = Date.now() - this.#allSentMs
    for (const sent of this.#sent) if (!sent.isLate && waitedMs > sent.upstream.targetMs) this.#note(sent, 'frustrated')
  }

  #noteRetryAfter(headers: Headers): void {
    const seconds = Number(headers.get('Retry-After') ?? 0)
    if (!(seconds > 0)) return
    for (const { admission, upstream } of this.#sent)
      admission.room.count(cellOf(upstream.name, 'retry-after', seconds * 1_000, this.#sentMs))
  }

  /** Counts a sample in the histogram, and as a vote of its session. */
  #note({ admission, upstream, voter }: Sent, mark: SampleMark): void {
    const { room } = admission
    const { name } = upstream
    const nowMs = Date.now()
    room.count(cellOf(name, mark, nowMs - this.#beganMs, this.#sentMs))
    if (voter) {
      const path = name === ORIGIN ? this.#visit.url.pathname : null
      const sampled: Sampled = { ...voter, upstream: name, path, sentMs: this.#sentMs }
      if (mark === 'turned-failed') room.votes.turnFailed(sampled, nowMs)
      else room.votes.add(sampled, mark satisfies Outcome, nowMs)
    }
    // A good sample of the origin can wait for the report that each window has. A bad sample cannot, nor any sample of
    // an upstream with few requests.
    const isUrgent = mark !== 'satisfied' || name !== ORIGIN || room.snapshot?.health !== undefined
    room.votes.report(this.#visit, isUrgent)
  }
}

/** True if the time to the first byte of an answer is a sample of the origin. */
function isTimed(status: number, headers: Headers): boolean {
  return status !== 101 && !isFromCache(headers) && !isEventStream(headers.get('Content-Type'))
}

function isFromCache(headers: Headers): boolean {
  return headers.get('CF-Cache-Status') === 'HIT'
}

function isEventStream(type: string | null): boolean {
  return type?.includes('text/event-stream') ?? false
}
