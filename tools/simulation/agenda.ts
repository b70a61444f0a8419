/**
 * The order of events in virtual time. Two calendars share one clock, and both are wheels of 10 ms slots. In the one
 * each visitor has at most one appointment, which is kept at the first millisecond of its slot. The other holds
 * messages and timers, which keep their exact time.
 */

import { Calendar } from './calendar.ts'
import { Heap } from './heap.ts'

const SLOT_MS = 10
const SLOTS = 1 << 16

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Agenda {
  nowMs: number
  readonly #calendar: Calendar
  readonly #visit: (visitor: number) => void
  readonly #fetch: (visitor: number) => number
  /** The visitors of the present slot. */
  readonly #present: number[] = []
  #fetched = 0
  /** Timers of the present slot. */
  readonly #timers = new Heap<Timer>(sooner)
  /** Timers within reach of the wheel, by slot. `#far` holds those beyond it. */
  readonly #later: (Timer[] | undefined)[] = new Array(SLOTS).fill(undefined)
  readonly #far = new Heap<Timer>(sooner)
  #slot: number
  #order = 0
  /** Visitors with an appointment. */
  appointments = 0

  /** `fetch` reads what `visit` will need: so memory is waited for once per slot and not once per visitor. */
  constructor(
    startMs: number,
    visitors: number,
    visit: (visitor: number) => void,
    fetch: (visitor: number) => number = () => 0,
  ) {
    this.nowMs = startMs
    this.#slot = Math.floor(startMs / SLOT_MS)
    this.#calendar = new Calendar(SLOTS, visitors)
    this.#visit = visit
    this.#fetch = fetch
  }

  /**
   * Sets a visitor's next step, in a later slot than the present one. Beyond the reach of the wheel it becomes a timer.
   */
  appoint(visitor: number, atMs: number): void {
    this.appointments++
    const slot = Math.max(this.#slot + 1, Math.ceil(atMs / SLOT_MS))
    if (slot >= this.#slot + SLOTS) return this.at(atMs, () => this.#meet(visitor))
    this.#calendar.add(slot, visitor)
  }

  at(atMs: number, run: () => void): void {
    const timer = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run }
    const slot = Math.floor(timer.atMs / SLOT_MS)
    if (slot <= this.#slot) this.#timers.push(timer)
    else if (slot >= this.#slot + SLOTS) this.#far.push(timer)
    else {
      const others = this.#later[slot & (SLOTS - 1)]
      if (others) others.push(timer)
      else this.#later[slot & (SLOTS - 1)] = [timer]
    }
  }

  /** Runs everything up to `untilMs`, which must be the start of a slot. */
  runUntil(untilMs: number): void {
    const end = Math.floor(untilMs / SLOT_MS)
    for (; this.#slot < end; this.#slot++) {
      const startMs = this.#slot * SLOT_MS
      this.#enter(this.#slot, startMs + SLOT_MS)
      this.#runTimers(startMs)
      this.nowMs = Math.max(this.nowMs, startMs)
      const count = this.#calendar.take(this.#slot, this.#present)
      for (let i = 0; i < count; i++) this.#fetched += this.#fetch(this.#present[i] as number)
      for (let i = 0; i < count; i++) this.#meet(this.#present[i] as number)
      this.#runTimers(startMs + SLOT_MS)
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  #meet(visitor: number): void {
    this.appointments--
    this.#visit(visitor)
  }

  #enter(slot: number, endMs: number): void {
    const timers = this.#later[slot & (SLOTS - 1)]
    this.#later[slot & (SLOTS - 1)] = undefined
    if (timers) for (const timer of timers) this.#timers.push(timer)
    for (let timer = this.#far.first; timer && timer.atMs < endMs; timer = this.#far.first) {
      this.#timers.push(timer)
      this.#far.pop()
    }
  }

  #runTimers(untilMs: number): void {
    for (let timer = this.#timers.first; timer && timer.atMs <= untilMs; timer = this.#timers.first) {
      this.#timers.pop()
      this.nowMs = Math.max(this.nowMs, timer.atMs)
      timer.run()
    }
  }
}

function sooner(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
