/**
 * The people outside of a rehearsed room: newcomers, called visitors who turn up, and refused visitors who ask again.
 */
import type { Claim } from '../core/protocol/messages.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { MINUTE_MS } from '../core/timing.ts'
import type { Stream } from './plan.ts'

/** A called visitor turns up after one of these numbers of steps: as soon as a waiting page learns of the call. */
const TURNS_UP_AFTER = [1, 2, 3, 4] as const
/** A refused visitor asks again after this many steps. */
const ASKS_AGAIN_AFTER = 2
/** The length of the ring `#due`, in steps. Every wait is shorter, so no entry is overwritten too early. */
const DUE_WITHIN = 8

export class Crowd {
  readonly #streams: readonly Stream[]
  readonly #stepMs: number
  /** The claims of the next steps, as a ring. */
  readonly #due: Claim[][] = Array.from({ length: DUE_WITHIN }, () => [])
  #step = 0
  /** Fractions of a person that are left over from earlier steps. */
  #newcomers = 0
  #shown = 0
  #claims = 0

  constructor(streams: readonly Stream[], stepMs: number) {
    this.#streams = streams
    this.#stepMs = stepMs
  }

  /** Returns the keys of the newcomers of the step that ends now, oldest first. */
  arriveUntil(nowMs: number): number[] {
    const fromMs = nowMs - this.#stepMs
    for (const stream of this.#streams) {
      const tookMs = Math.min(nowMs, stream.untilMs) - Math.max(fromMs, stream.fromMs)
      if (tookMs > 0) this.#newcomers += (stream.perMinute * tookMs) / MINUTE_MS
    }
    const people = Math.floor(this.#newcomers)
    this.#newcomers -= people
    return spaced(people, fromMs, nowMs)
  }

  /**
   * Calls people with keys after `fromKey` and up to `toKey`. The share `showRate` of them turns up in the next steps.
   */
  call(called: number, showRate: number, [fromKey, toKey]: readonly [number, number]): void {
    this.#shown += called * showRate
    const people = Math.floor(this.#shown)
    this.#shown -= people
    for (const [nth, key] of spaced(people, fromKey, toKey).entries())
      this.claimIn(TURNS_UP_AFTER[nth % TURNS_UP_AFTER.length] as number, this.newClaim(key))
  }

  /** In each of the last steps `called` people were called. Adds those who are still on their way. */
  begin(called: number, showRate: number, key: number): void {
    for (let steps = 1; steps < TURNS_UP_AFTER[0] + TURNS_UP_AFTER.length - 1; steps++) {
      const latest = TURNS_UP_AFTER.filter(after => after > steps).length
      this.#shown += (called * showRate * latest) / TURNS_UP_AFTER.length
      for (; this.#shown >= 1; this.#shown--) this.claimIn(steps, this.newClaim(key))
    }
  }

  newClaim(key: number): Claim {
    this.#claims++
    return { sid: `d-0.${this.#claims.toString(36).padStart(6, '0')}`, key, lane: MAIN_LANE, generation: 0 }
  }

  askAgain(claim: Claim): void {
    this.claimIn(ASKS_AGAIN_AFTER, claim)
  }

  claimIn(steps: number, claim: Claim): void {
    this.#due[(this.#step + steps) % DUE_WITHIN]?.push(claim)
  }

  /** Returns the claims of the next step. */
  takeDue(): Claim[] {
    this.#step++
    const at = this.#step % DUE_WITHIN
    const due = this.#due[at] as Claim[]
    this.#due[at] = []
    return due
  }
}

/** Returns evenly spaced keys: none is `fromKey`, and the last one is `toKey`. */
function spaced(people: number, fromKey: number, toKey: number): number[] {
  return Array.from({ length: people }, (_, nth) => fromKey + ((toKey - fromKey) * (nth + 1)) / people)
}
