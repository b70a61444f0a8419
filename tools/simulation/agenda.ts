/**
 * What happens when, in virtual time. Two calendars behind one clock, both wheels of 10 ms slots: one for visitors, of whom
 * each has at most one appointment, and one for messages and timers, of which only those of the present slot are in order.
 */

import { Heap } from './heap.ts'

const SLOT_MS = 10
const SLOTS = 1 << 15
const NOBODY = -1

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Agenda {
  nowMs: number
  readonly #slots = new Int32Array(SLOTS).fill(NOBODY)
  readonly #next: Int32Array
  readonly #at: Float64Array
  readonly #visit: (visitor: number) => void
  /** Timers of the present slot. */
  readonly #timers = new Heap<Timer>(sooner)
  /** Timers within reach of the wheel, and those beyond it. */
  readonly #later: (Timer[] | undefined)[] = new Array(SLOTS).fill(undefined)
  readonly #far = new Heap<Timer>(sooner)
  #slot: number
  #order = 0
  /** Visitors with an appointment. */
  appointments = 0

  constructor(startMs: number, visitors: number, visit: (visitor: number) => void) {
    this.nowMs = startMs
    this.#slot = Math.floor(startMs / SLOT_MS)
    this.#next = new Int32Array(visitors).fill(NOBODY)
    this.#at = new Float64Array(visitors)
    this.#visit = visit
  }

  /** A visitor's next step. Further away than the wheel reaches, it is carried along. */
  appoint(visitor: number, atMs: number): void {
    this.appointments++
    this.#at[visitor] = atMs
    this.#place(visitor, atMs)
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

  /** Runs everything up to `untilMs`. */
  runUntil(untilMs: number): void {
    const last = Math.floor(untilMs / SLOT_MS)
    for (; this.#slot <= last; this.#slot++) {
      const endMs = (this.#slot + 1) * SLOT_MS
      this.#enter(this.#slot, endMs)
      this.#runTimers(this.#slot * SLOT_MS)
      const slot = this.#slot & (SLOTS - 1)
      // A visit may make an appointment within this very slot: take the list until it stays empty.
      while (this.#slots[slot] !== NOBODY) {
        let visitor = this.#slots[slot] as number
        this.#slots[slot] = NOBODY
        while (visitor !== NOBODY) {
          const next = this.#next[visitor] as number
          this.#meet(visitor, endMs)
          visitor = next
        }
      }
    }
    this.#runTimers(untilMs)
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  #meet(visitor: number, slotEndMs: number): void {
    const atMs = this.#at[visitor] as number
    if (atMs >= slotEndMs) return this.#place(visitor, atMs)
    this.appointments--
    this.nowMs = Math.max(this.nowMs, atMs)
    this.#runTimers(this.nowMs)
    this.#visit(visitor)
  }

  #place(visitor: number, atMs: number): void {
    const wanted = Math.max(this.#slot, Math.floor(atMs / SLOT_MS))
    const slot = Math.min(wanted, this.#slot + SLOTS - 1) & (SLOTS - 1)
    this.#next[visitor] = this.#slots[slot] as number
    this.#slots[slot] = visitor
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
