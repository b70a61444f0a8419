/**
 * Maps tickets to people. Most people have one ticket, some hold several at once, and some drop theirs and take a new
 * one. The figures show what that gains them.
 */
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

export type Habit = 'single' | 'several' | 'drops'

/** Several tickets are taken one after another within this time, one in each tab. */
const TAKEN_WITHIN_MS = 2_000

export class Owners {
  /** When each ticket is taken, in ascending order, in virtual time. */
  readonly takenMs: Float64Array
  readonly people: number
  /** The owner of each ticket; null where each person has one. */
  readonly #owners: Int32Array | null = null
  readonly #habits: Uint8Array | null = null
  /** By owner: 1 once one of the owner's tickets has been admitted. */
  readonly #entered: Uint8Array | null = null
  /** By owner: the arrival. */
  readonly #arrivedMs: Float64Array

  /** `arrivedMs` contains the arrival of each person, in ascending order. */
  constructor(arrivedMs: Float64Array, { tickets = 2, holders = 0, droppers = 0 }: Scenario, random: Random) {
    this.people = arrivedMs.length
    this.takenMs = arrivedMs
    this.#arrivedMs = arrivedMs
    if (holders === 0 && droppers === 0) return
    const habits = Uint8Array.from(arrivedMs, () => {
      const drawn = random.next()
      return HABITS.indexOf(drawn < holders ? 'several' : drawn < holders + droppers ? 'drops' : 'single')
    })
    const taken: { atMs: number; owner: number }[] = []
    for (const [owner, atMs] of arrivedMs.entries()) {
      const count = HABITS[habits[owner] as number] === 'several' ? tickets : 1
      taken.push({ atMs, owner })
      for (let more = 1; more < count; more++) taken.push({ atMs: atMs + random.next() * TAKEN_WITHIN_MS, owner })
    }
    taken.sort((a, b) => a.atMs - b.atMs)
    this.takenMs = Float64Array.from(taken, ({ atMs }) => atMs)
    this.#owners = Int32Array.from(taken, ({ owner }) => owner)
    this.#habits = habits
    this.#entered = new Uint8Array(arrivedMs.length)
  }

  /** Whether the run has habits to compare. */
  get differ(): boolean {
    return this.#habits !== null
  }

  ownerOf(ticket: number): number {
    return this.#owners?.[ticket] ?? ticket
  }

  /** The number of people with a habit. */
  count(habit: Habit): number {
    return this.#habits?.filter(other => HABITS[other] === habit).length ?? 0
  }

  arrivedMs(ticket: number): number {
    return this.#arrivedMs[this.ownerOf(ticket)] as number
  }

  habitOf(ticket: number): Habit {
    return HABITS[this.#habits?.[this.ownerOf(ticket)] ?? 0] as Habit
  }

  /** Notes that a ticket admits its owner. Returns false when another ticket did so before. */
  enters(ticket: number): boolean {
    if (!this.#entered) return true
    const before = this.#entered[this.ownerOf(ticket)]
    this.#entered[this.ownerOf(ticket)] = 1
    return before === 0
  }

  /** The owner is in by another ticket, so this one is not used any more. */
  isIdle(ticket: number): boolean {
    return this.#entered?.[this.ownerOf(ticket)] === 1
  }
}

const HABITS: readonly Habit[] = ['single', 'several', 'drops']
