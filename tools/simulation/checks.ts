/** The guarantees I1, I2, I4 and I7, checked at every event. A violation is kept with its moment; the run goes on. */
import { burstOf } from '../../src/core/permits.ts'
import type { Scenario, World } from './world.ts'

export interface Violation {
  readonly invariant: string
  readonly atMs: number
  readonly detail: string
}

export class Checks {
  readonly violations: Violation[] = []
  /** Every admission in order: when, and the key of its ticket. */
  readonly admittedAt: number[] = []
  readonly admittedKeys: number[] = []
  mostInside = 0
  readonly #sids = new Set<string>()
  #ratePerMinute: number
  #burst: number
  #largestTotal: number
  /** How far admissions are ahead of the rate: a leaky bucket, which at most `burst` may fill for I1 to hold in every window. */
  #level = 0
  #levelAtMs = 0

  constructor(scenario: Scenario) {
    this.#ratePerMinute = scenario.ratePerMinute
    this.#burst = burstOf(scenario.ratePerMinute)
    this.#largestTotal = scenario.totalActiveUsers
  }

  get admissions(): number {
    return this.admittedAt.length
  }

  limits(limits: { ratePerMinute: number; totalActiveUsers: number }, nowMs: number): void {
    this.#leak(nowMs)
    this.#ratePerMinute = limits.ratePerMinute
    this.#burst = Math.max(this.#burst, burstOf(limits.ratePerMinute))
    this.#largestTotal = Math.max(this.#largestTotal, limits.totalActiveUsers)
  }

  admitted(sid: string, key: number, nowMs: number): void {
    this.#leak(nowMs)
    this.#level++
    if (this.#level > this.#burst + 1e-6) {
      this.#violate('I1', nowMs, `${this.#level.toFixed(3)} admissions ahead of the rate, burst ${this.#burst}`)
    }
    if (this.#sids.has(sid)) this.#violate('I7', nowMs, `${sid} admitted twice`)
    this.#sids.add(sid)
    this.admittedAt.push(nowMs)
    this.admittedKeys.push(key)
  }

  granted(world: World): void {
    const inside = world.live() + world.usable()
    this.mostInside = Math.max(this.mostInside, inside)
    if (inside > this.#largestTotal) {
      this.#violate('I2', world.agenda.nowMs, `${inside} live or out, total ${this.#largestTotal}`)
    }
  }

  shown(visitor: number, position: number, before: number, _waitMs: number | null, nowMs: number): void {
    if (position > before) this.#violate('I4', nowMs, `visitor ${visitor} was shown ${before}, then ${position}`)
  }

  lostSession(visitor: number, expiresMs: number, nowMs: number): void {
    if (nowMs < expiresMs)
      this.#violate('I4', nowMs, `visitor ${visitor} lost a session that was to last until ${expiresMs}`)
  }

  finish(world: World): void {
    this.granted(world)
  }

  #leak(nowMs: number): void {
    this.#level = Math.max(0, this.#level - ((nowMs - this.#levelAtMs) * this.#ratePerMinute) / 60_000)
    this.#levelAtMs = nowMs
  }

  #violate(invariant: string, atMs: number, detail: string): void {
    this.violations.push({ invariant, atMs, detail })
  }
}
