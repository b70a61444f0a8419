/**
 * Touches from this isolate to one door. Parallel requests of a session share one touch. While a call is under way, the
 * touches of all other sessions gather for the next call. So the number of calls grows with the isolates, not with the
 * sessions.
 */
import type { Touch, TouchAnswer } from '../../core/protocol/messages.ts'
import type { Caller } from './door-client.ts'

const TOUCHES_PER_CALL = 256
/** A touch for which no request waits goes with the next call, or in a call of its own after this long. */
const WAITS_MS = 200
/** After this long such a touch is dropped. */
const WORTHLESS_MS = 1_000
/** After this long a call counts as lost: its request may have been cut off. */
const CALL_LOST_MS = 3_000

export type SendTouches = (caller: Caller, touches: readonly Touch[]) => Promise<readonly TouchAnswer[]>

interface Asked {
  readonly touch: Touch
  readonly askedMs: number
  /** One promise for each request that waits. A promise of another request may end together with that request. */
  readonly waiting: { resolve(answer: TouchAnswer): void; reject(error: unknown): void }[]
  sent: boolean
}

export class Touches {
  readonly #send: SendTouches
  /** Touches that requests wait for, sent or not, by sid. */
  readonly #open = new Map<string, Asked>()
  #unsent: Asked[] = []
  /** Touches for which no request waits, by sid, oldest first. */
  readonly #later = new Map<string, Asked>()
  /** When the call under way was sent, null when there is none. */
  #calledAtMs: number | null = null
  #whenFree: { readonly asked: Asked; readonly free: () => void }[] = []

  constructor(send: SendTouches) {
    this.#send = send
  }

  /** Asks about a session whose request waits for the answer. */
  ask(caller: Caller, touch: Touch): Promise<TouchAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<TouchAnswer>()
    const open = this.#open.get(touch.sid)
    if (open && touch.protectMs === 0 && caller.nowMs - open.askedMs < CALL_LOST_MS) {
      open.waiting.push({ resolve, reject })
      return promise
    }
    const asked = { touch, askedMs: caller.nowMs, waiting: [{ resolve, reject }], sent: false }
    this.#open.set(touch.sid, asked)
    this.#unsent.push(asked)
    void this.#sendOnce(caller, asked)
    return promise
  }

  /** Asks about a session for which no request waits. Calls `note` with the answer, if there is one. */
  askLater(caller: Caller, touch: Touch, note: (answer: TouchAnswer) => void): void {
    const { sid } = touch
    if (!this.#later.has(sid) && !this.#open.has(sid)) {
      const waiting = [{ resolve: note, reject: () => undefined }]
      this.#later.set(sid, { touch, askedMs: caller.nowMs, waiting, sent: false })
    }
    const [oldest] = this.#later.values()
    if (oldest && caller.nowMs - oldest.askedMs >= WAITS_MS && this.#isFree(caller.nowMs)) void this.#call(caller)
  }

  /** Sends the touches that could wait now, unless a call is under way. */
  sendLater(caller: Caller): void {
    if (this.#later.size > 0 && this.#isFree(caller.nowMs)) void this.#call(caller)
  }

  /** Each request waits by itself. The first one to find no call under way sends all touches that have gathered. */
  async #sendOnce(caller: Caller, asked: Asked): Promise<void> {
    while (!asked.sent && !this.#isFree(caller.nowMs)) {
      await new Promise<void>(free => this.#whenFree.push({ asked, free }))
    }
    if (!asked.sent) await this.#call(caller)
  }

  #isFree(nowMs: number): boolean {
    return this.#calledAtMs === null || nowMs - this.#calledAtMs >= CALL_LOST_MS
  }

  async #call(caller: Caller): Promise<void> {
    const sentMs = caller.nowMs
    const batch = this.#take(sentMs)
    if (batch.length === 0) return
    this.#calledAtMs = sentMs
    const touches = batch.map(({ touch }) => touch)
    try {
      const answers = await this.#send(caller, touches)
      for (const [i, asked] of batch.entries()) this.#settle(asked, one => one.resolve(answers[i] as TouchAnswer))
    } catch (error) {
      for (const asked of batch) this.#settle(asked, one => one.reject(error))
    } finally {
      // A call given up for lost must not end the call that came after it.
      if (this.#calledAtMs === sentMs) this.#calledAtMs = null
      // Do not wake a request whose touch went out with another request's call: it may be over by now.
      for (const { asked, free } of this.#whenFree.splice(0)) if (!asked.sent) free()
    }
  }

  #settle(asked: Asked, each: (one: Asked['waiting'][number]) => void): void {
    if (this.#open.get(asked.touch.sid) === asked) this.#open.delete(asked.touch.sid)
    for (const one of asked.waiting) each(one)
  }

  /** Takes the next batch: first the touches that requests wait for, then the others. */
  #take(nowMs: number): Asked[] {
    const batch = this.#unsent.splice(0, TOUCHES_PER_CALL)
    for (const [sid, later] of this.#later) {
      if (batch.length >= TOUCHES_PER_CALL) break
      this.#later.delete(sid)
      if (nowMs - later.askedMs < WORTHLESS_MS) batch.push(later)
    }
    for (const asked of batch) asked.sent = true
    return batch
  }
}
