/**
 * Whose ticket is whose: most people have one, some hold several at once, and some drop theirs and come again for a new one. What
 * that gains them is for the figures to say.
 */
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

export type Habit = 'single' | 'several' | 'drops'

/** Several tickets are taken one after another, a tab at a time. */
const TAKEN_WITHIN_MS = 2_000

export class Owners {
  /** When each ticket is taken, in order, from the start of the run. */
  readonly takenMs: Float64Array
  readonly people: number
  /** The owner of each ticket; null where everybody has one. */
  readonly #owners: Int32Array | null = null
  readonly #habits: Uint8Array | null = null
  /** Of each owner who holds several: one ticket has been called and has let its owner in. */
  readonly #entered: Uint8Array | null = null
  /** Of each owner: the arrival. */
  readonly #arrivedMs: Float64Array

  /** `arrivedMs` is when each person comes, in order. */
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

  /** Whether anybody has a habit that is worth a figure. */
  get differ(): boolean {
    return this.#habits !== null
  }

  ownerOf(ticket: number): number {
    return this.#owners?.[ticket] ?? ticket
  }

  /** People of a habit. */
  count(habit: Habit): number {
    return this.#habits?.filter(other => HABITS[other] === habit).length ?? 0
  }

  arrivedMs(ticket: number): number {
    return this.#arrivedMs[this.ownerOf(ticket)] as number
  }

  habitOf(ticket: number): Habit {
    return HABITS[this.#habits?.[this.ownerOf(ticket)] ?? 0] as Habit
  }

  /** One of the owner's tickets lets the owner in; false when another one has before. */
  enters(ticket: number): boolean {
    if (!this.#entered) return true
    const before = this.#entered[this.ownerOf(ticket)]
    this.#entered[this.ownerOf(ticket)] = 1
    return before === 0
  }

  /** The owner is in by another ticket: nobody looks at this one any more. */
  isIdle(ticket: number): boolean {
    return this.#entered?.[this.ownerOf(ticket)] === 1
  }
}

const HABITS: readonly Habit[] = ['single', 'several', 'drops']
