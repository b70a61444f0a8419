/**
 * How long visitors stay inside. The rehearsal has no data on single visitors. It takes a mean stay that fits the past,
 * and spreads all stays evenly from half of it to one and a half times it.
 */

import type { SessionStore } from '../core/door/door.ts'
import type { HistoryStep } from '../core/history/history.ts'
import type { Session } from '../core/session.ts'
import { MINUTE_MS } from '../core/timing.ts'

const [SHORTEST, LONGEST] = [0.5, 1.5]
/** A longer stay has the same effect as one that never ends, because no future is longer. */
const STAY_MAX_MS = 24 * 60 * MINUTE_MS
/** The steps of the binary search for the mean stay. They make it exact to a second. */
const SEARCH_STEPS = 18
/** Visitors who came in together leave together. So the mean stay is fitted to several minutes. */
const FITTED_MINUTES = 5
/** The golden ratio. The fractional parts of its multiples are spread as evenly as possible. */
const EVENLY = 0.618_033_988_749_895

/** A number of visitors who came in `agoMs` ago. */
export interface CameIn {
  readonly agoMs: number
  readonly people: number
}

/** Returns when visitors came in, newest first. */
export function cameIn(minutes: readonly HistoryStep[], nowMs: number): CameIn[] {
  return minutes
    .map(({ atMs, admitted }) => ({ agoMs: Math.max(0, nowMs - atMs - MINUTE_MS / 2), people: admitted }))
    .filter(({ people }) => people > 0)
    .toReversed()
}

/**
 * Returns the mean stay in milliseconds that best explains the numbers of people inside in the last minutes. `inside`
 * is the number now. Returns null if no stay explains them: then the past is too short.
 */
export function stayFitting(minutes: readonly HistoryStep[], inside: number, nowMs: number): number | null {
  const lately = minutes.slice(-FITTED_MINUTES).map(({ atMs, inside }) => ({ atMs: atMs + MINUTE_MS, inside }))
  const seen = [...lately.filter(({ atMs }) => atMs < nowMs), { atMs: nowMs, inside }]
  const came = minutes.map(({ atMs, admitted }) => ({ atMs: atMs + MINUTE_MS / 2, admitted }))
  const wereInside = seen.reduce((sum, moment) => sum + moment.inside, 0)
  const wouldBeInside = (stayMs: number) => {
    let people = 0
    for (const at of seen)
      for (const { atMs, admitted } of came)
        if (atMs < at.atMs && admitted > 0) people += admitted * shareLeft((at.atMs - atMs) / stayMs)
    return people
  }
  if (wereInside <= 0 || wouldBeInside(STAY_MAX_MS) < wereInside) return null
  let [low, high] = [0, STAY_MAX_MS]
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = (low + high) / 2
    if (wouldBeInside(middle) < wereInside) low = middle
    else high = middle
  }
  return high
}

/** The sessions of a rehearsed door: how many are live, and how many end in which second. */
export class Stays implements SessionStore {
  readonly #ends: Uint32Array
  readonly #beganMs: number
  readonly #stepMs: number
  #live = 0
  #step = 0
  #count = 0
  /** The mean stay of visitors who come in now. */
  stayMs: number

  constructor(beganMs: number, { steps, stepMs, stayMs }: { steps: number; stepMs: number; stayMs: number }) {
    this.#beganMs = beganMs
    this.#stepMs = stepMs
    this.#ends = new Uint32Array(steps + 2)
    this.stayMs = stayMs
  }

  /**
   * Adds visitors who are inside already. Visitors who came at an unknown time are spread evenly over the length of a
   * stay.
   */
  begin(inside: number, came: readonly CameIn[]): void {
    let people = 0
    for (const { agoMs, people: of } of came) {
      const stayed = agoMs / this.stayMs
      const staying = Math.min(inside - people, of * shareLeft(stayed))
      for (let nth = 0; nth < Math.round(staying); nth++) {
        const untilShare = stayed < SHORTEST ? this.#spread() : stayed + (LONGEST - stayed) * this.#evenly()
        this.#add((untilShare - stayed) * this.stayMs)
      }
      people += Math.round(staying)
    }
    for (; people < inside; people++) this.#add(this.stayMs * restOf(this.#evenly()))
  }

  insert(_: Session): undefined {
    this.#add(this.#spread() * this.stayMs)
  }

  live(nowMs: number): number {
    const step = Math.min(this.#ends.length - 2, Math.floor((nowMs - this.#beganMs) / this.#stepMs))
    for (; this.#step <= step; this.#step++) this.#live -= this.#ends[this.#step] as number
    return this.#live
  }

  clock(nowMs: number): number {
    return nowMs
  }

  /** A rehearsed visitor claims until the door admits, and never again. So no claim finds an earlier session. */
  get(): undefined {}

  lastSessions(): readonly Session[] {
    return []
  }

  /** Only renewals and early ends update a session, and a rehearsal has neither. */
  update(): void {}

  #add(stayMs: number): void {
    this.#live++
    const at = this.#step + Math.max(0, Math.round(stayMs / this.#stepMs))
    if (at < this.#ends.length - 1) this.#ends[at] = (this.#ends[at] as number) + 1
  }

  #spread(): number {
    return SHORTEST + (LONGEST - SHORTEST) * this.#evenly()
  }

  #evenly(): number {
    this.#count++
    return (this.#count * EVENLY) % 1
  }
}

/** Returns the share of visitors who are still inside after `stayed`, a time in units of the mean stay. */
function shareLeft(stayed: number): number {
  return Math.min(1, Math.max(0, (LONGEST - stayed) / (LONGEST - SHORTEST)))
}

/**
 * Returns the rest of a stay, in units of the mean stay, for a visitor who is seen at a random time of the stay.
 * `drawn` is 0 to 1.
 */
function restOf(drawn: number): number {
  return drawn <= SHORTEST ? drawn : LONGEST - Math.sqrt(2 - 2 * drawn)
}
