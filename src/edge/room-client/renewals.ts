/**
 * Renewals of sessions from this isolate at one door. Parallel requests of a session share one renewal. While a call is
 * under way, the renewals of all other sessions gather for the next call. So the number of calls grows with the number
 * of isolates, not of sessions.
 */
import type { Renewal, RenewalAnswer } from '../../core/protocol/messages.ts'
import type { Caller } from './door-client.ts'

const RENEWALS_PER_CALL = 256
/**
 * A renewal for which no request waits goes out with the next call. If none comes within this time, it goes out alone.
 */
const WAITS_MS = 200
/** A renewal for which no request waits is dropped after this long. */
const WORTHLESS_MS = 1_000
/** A call counts as lost after this time: its request may have been cut off. */
const CALL_LOST_MS = 3_000

type SendRenewals = (caller: Caller, renewals: readonly Renewal[]) => Promise<readonly RenewalAnswer[]>

interface Queued {
  readonly renewal: Renewal
  readonly queuedMs: number
  /** One promise for each waiting request. A promise that another request made may end together with that request. */
  readonly waiting: { resolve(answer: RenewalAnswer): void; reject(error: unknown): void }[]
  sent: boolean
}

export class Renewals {
  readonly #send: SendRenewals
  /** Renewals for which requests wait, whether they were sent or not, by sid. */
  readonly #open = new Map<string, Queued>()
  #unsent: Queued[] = []
  /** Renewals for which no request waits, by sid, oldest first. */
  readonly #later = new Map<string, Queued>()
  /** When the call under way was sent, null when there is none. */
  #calledAtMs: number | null = null
  #whenFree: { readonly queued: Queued; readonly free: () => void }[] = []

  constructor(send: SendRenewals) {
    this.#send = send
  }

  /** Renews a session, for a request that waits for the answer. */
  add(caller: Caller, renewal: Renewal): Promise<RenewalAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<RenewalAnswer>()
    const open = this.#open.get(renewal.sid)
    if (open && renewal.protectMs === 0 && caller.nowMs - open.queuedMs < CALL_LOST_MS) {
      open.waiting.push({ resolve, reject })
      return promise
    }
    const queued = { renewal, queuedMs: caller.nowMs, waiting: [{ resolve, reject }], sent: false }
    this.#open.set(renewal.sid, queued)
    this.#unsent.push(queued)
    void this.#sendOnce(caller, queued)
    return promise
  }

  /** Renews a session for which no request waits. Calls `note` with the answer, if there is one. */
  addLater(caller: Caller, renewal: Renewal, note: (answer: RenewalAnswer) => void): void {
    const { sid } = renewal
    if (!this.#later.has(sid) && !this.#open.has(sid)) {
      const waiting = [{ resolve: note, reject: () => undefined }]
      this.#later.set(sid, { renewal, queuedMs: caller.nowMs, waiting, sent: false })
    }
    const [oldest] = this.#later.values()
    if (oldest && caller.nowMs - oldest.queuedMs >= WAITS_MS && this.#isFree(caller.nowMs)) void this.#call(caller)
  }

  /** Sends the renewals that no request waits for, unless a call is under way. */
  sendLater(caller: Caller): void {
    if (this.#later.size > 0 && this.#isFree(caller.nowMs)) void this.#call(caller)
  }

  /**
   * Each request waits on its own. The first request that finds no call under way sends all renewals that have
   * gathered.
   */
  async #sendOnce(caller: Caller, queued: Queued): Promise<void> {
    while (!queued.sent && !this.#isFree(caller.nowMs)) {
      await new Promise<void>(free => this.#whenFree.push({ queued, free }))
    }
    if (!queued.sent) await this.#call(caller)
  }

  #isFree(nowMs: number): boolean {
    return this.#calledAtMs === null || nowMs - this.#calledAtMs >= CALL_LOST_MS
  }

  async #call(caller: Caller): Promise<void> {
    const sentMs = caller.nowMs
    const batch = this.#take(sentMs)
    if (batch.length === 0) return
    this.#calledAtMs = sentMs
    const renewals = batch.map(({ renewal }) => renewal)
    try {
      const answers = await this.#send(caller, renewals)
      for (const [i, queued] of batch.entries()) this.#settle(queued, one => one.resolve(answers[i] as RenewalAnswer))
    } catch (error) {
      for (const queued of batch) this.#settle(queued, one => one.reject(error))
    } finally {
      // A call that was given up as lost must not end the call that came after it.
      if (this.#calledAtMs === sentMs) this.#calledAtMs = null
      // Do not wake a request whose renewal went out with another request's call: it may be over by now.
      for (const { queued, free } of this.#whenFree.splice(0)) if (!queued.sent) free()
    }
  }

  #settle(queued: Queued, each: (one: Queued['waiting'][number]) => void): void {
    if (this.#open.get(queued.renewal.sid) === queued) this.#open.delete(queued.renewal.sid)
    for (const one of queued.waiting) each(one)
  }

  /** Takes the next batch: first the renewals for which requests wait, then the others. */
  #take(nowMs: number): Queued[] {
    const batch = this.#unsent.splice(0, RENEWALS_PER_CALL)
    for (const [sid, later] of this.#later) {
      if (batch.length >= RENEWALS_PER_CALL) break
      this.#later.delete(sid)
      if (nowMs - later.queuedMs < WORTHLESS_MS) batch.push(later)
    }
    for (const queued of batch) queued.sent = true
    return batch
  }
}
