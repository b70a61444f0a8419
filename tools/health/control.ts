/**
 * Two controllers of admissions for the same origin: the room's own, and the plain one that most people write first.
 */

import { admissionLimitsNow, healthSnapshot } from '../../src/core/health/effect.ts'
import { advance } from '../../src/core/health/health.ts'
import { ingest } from '../../src/core/health/ingest.ts'
import { ORIGIN, outcomeOf, WINDOW_MS } from '../../src/core/health/outcome.ts'
import { type Load, thereOf } from '../../src/core/health/presence.ts'
import { type HealthRules, type HealthState, newHealth } from '../../src/core/health/state.ts'
import type { HealthStep } from '../../src/core/health/step.ts'
import { lotOfSession } from '../../src/core/health/votes.ts'
import type { AdmissionLimits } from '../../src/core/permits/bank.ts'
import { readCells } from '../../src/core/protocol/health-cells.ts'
import { Ballots, type OwnSamples } from '../../src/edge/room-client/ballots.ts'
import { Random } from '../simulation/random.ts'
import type { Answered } from './origin.ts'
import { TARGET_MS } from './origin.ts'

export interface Control {
  take(answer: Answered, nowMs: number): void
  decide(
    load: Load,
    operator: AdmissionLimits,
    nowMs: number,
  ): { limits: AdmissionLimits; share: number; ceiling: number; there: number }
}

/** The defaults of a room's settings. A test of the settings checks that they are the same. */
export const RULES: HealthRules = {
  mode: 'enforce',
  badWindows: 2,
  goodWindows: 3,
  sessionsMin: 10,
  cooldownMs: 180_000,
  rampMs: 120_000,
  upstreams: [{ name: ORIGIN, critical: true, apdexTarget: 0.85, openMs: 30_000 }],
  pins: { ratePerMinute: null, sessions: null, breakers: {} },
}

/** Runs the production code of a room's controller, and of one isolate of its edge. */
export class RoomHealth implements Control {
  readonly steps: (HealthStep & { readonly atMs: number })[] = []
  readonly #rules: HealthRules
  readonly #random: Random
  readonly #ballots = new Ballots()
  readonly #own = new Map<string, OwnSamples>()
  #state: HealthState | null = null

  constructor(seed = 1, rules = RULES) {
    this.#random = new Random(seed)
    this.#rules = rules
  }

  get state(): HealthState | null {
    return this.#state
  }

  take({ atMs, tookMs, ok, sid }: Answered, nowMs: number): void {
    const outcome = ok ? outcomeOf(tookMs, TARGET_MS) : 'failed'
    const own = this.#own.get(sid) ?? {}
    this.#own.set(sid, own)
    const sampled = { upstream: ORIGIN, lot: lotOfSession(sid), own, path: '/', sentMs: atMs }
    this.#ballots.note(ORIGIN, sampled.lot, atMs)
    this.#ballots.add(sampled, outcome, nowMs)
  }

  decide(load: Load, operator: AdmissionLimits, nowMs: number) {
    // The room began an hour ago, so it does not expect isolates of an older version.
    this.#state ??= newHealth(nowMs - 3_600_000)
    const state = this.#state
    const cells: Record<string, number> = {}
    this.#ballots.take(cell => {
      cells[cell] = 1
    })
    ingest(state, readCells(cells, nowMs).votes, this.#rules, nowMs)
    const moment = { load, operator, rules: this.#rules, nowMs, random: this.#random.next() }
    this.steps.push(...advance(state, moment).map(step => ({ ...step, atMs: nowMs })))
    const limits = admissionLimitsNow(state, load, operator, moment)
    const share = healthSnapshot(state, load, operator, moment)?.inside ?? 1
    const there = thereOf(state.presence, load)
    return { limits, share, ceiling: state.ceiling.sessions ?? operator.totalActiveUsers, there }
  }
}

/** Increases the admission rate by addition, and decreases it by multiplication (AIMD). */
export class PlainAimd implements Control {
  /** A bad window halves the rate. Without bad windows the rate rises from zero to the full rate in fifteen minutes. */
  static readonly CUT = 0.5
  static readonly FULL_MS = 900_000
  #samples = 0
  #points = 0
  #windowBeganMs = 0
  #share = 1

  take({ tookMs, ok }: Answered): void {
    this.#samples++
    if (ok) this.#points += tookMs <= TARGET_MS ? 1 : tookMs <= 4 * TARGET_MS ? 0.5 : 0
  }

  decide({ inside }: Load, operator: AdmissionLimits, nowMs: number) {
    if (nowMs - this.#windowBeganMs >= WINDOW_MS) {
      if (this.#samples >= 20) {
        const isBad = this.#points / this.#samples < 0.85
        this.#share = isBad
          ? Math.max(0.01, this.#share * PlainAimd.CUT)
          : Math.min(1, this.#share + WINDOW_MS / PlainAimd.FULL_MS)
      } else this.#share = Math.min(1, this.#share + WINDOW_MS / PlainAimd.FULL_MS)
      this.#samples = 0
      this.#points = 0
      this.#windowBeganMs = nowMs
    }
    const limits = { ...operator, ratePerMinute: operator.ratePerMinute * this.#share }
    return { limits, share: 1, ceiling: limits.ratePerMinute, there: inside }
  }
}
