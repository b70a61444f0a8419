/**
 * The room's side of its origin's health: it lets `core` decide, stores the decisions, and reports the current state.
 */

import { type Breaker, CLOSED } from '../../core/health/breaker.ts'
import {
  admissionLimitsNow,
  backShare,
  breakerOf,
  type HealthSnapshot,
  healthSnapshot,
} from '../../core/health/effect.ts'
import { advance, lifted, probed } from '../../core/health/health.ts'
import { ingest } from '../../core/health/ingest.ts'
import { ORIGIN } from '../../core/health/outcome.ts'
import { type Load, thereOf } from '../../core/health/presence.ts'
import { type HealthState, inTrouble, type UpstreamRules } from '../../core/health/state.ts'
import type { HealthStep } from '../../core/health/step.ts'
import { type Decision, decisionsOf } from '../../core/history/decisions.ts'
import type { OriginFigures } from '../../core/history/history.ts'
import {
  addSamples,
  apdexOf,
  type Counts,
  endMinute,
  failureShareOf,
  type LateSamples,
  lastMinute,
  noCounts,
  quantileMs,
  samplesOf,
} from '../../core/history/samples.ts'
import { own } from '../../core/own.ts'
import type { AdmissionLimits } from '../../core/permits/bank.ts'
import type { HealthFigures, HealthReport, UpstreamFigures } from '../../core/protocol/health.ts'
import { readCells } from '../../core/protocol/health-cells.ts'
import type { Cells } from '../../core/tally.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import type { HealthSettings } from '../../settings/compiled/health.ts'
import { conditionOf, type KnownCondition, shownCondition } from './condition.ts'
import { HealthStore } from './store.ts'

/** The circumstances of a question about health. */
export interface HealthNow {
  readonly load: Load
  readonly settings: HealthSettings
  readonly nowMs: number
}

export class RoomHealth {
  readonly #note: (decision: Decision) => void
  readonly #store: HealthStore
  readonly #state: HealthState
  readonly #samples: LateSamples
  #condition: KnownCondition
  /** The breakers and readmission ramps at the last call of `isNews`, as JSON. */
  #announced = ''

  /** `note` is called for each decision. */
  constructor(sql: SqlStorage, nowMs: number, note: (decision: Decision) => void) {
    this.#note = note
    this.#store = new HealthStore(sql)
    const { samples, condition, ...state } = this.#store.load(nowMs)
    this.#state = state
    this.#samples = samples
    this.#condition = condition
  }

  ingest(cells: Cells, { rules }: HealthSettings, nowMs: number): void {
    if (rules.mode === 'off') return
    const { votes, samples } = readCells(cells, nowMs)
    ingest(this.#state, votes, rules, nowMs)
    const isNamed = (upstream: string) => rules.upstreams.some(({ name }) => name === upstream)
    addSamples(
      this.#samples,
      samples.filter(({ upstream }) => isNamed(upstream)),
      nowMs,
    )
  }

  /**
   * Advances the state, and returns the snapshot for edges. Decisions are stored before any answer that follows from
   * them leaves.
   */
  advance(operator: AdmissionLimits, now: HealthNow): HealthSnapshot | null {
    const { load, nowMs } = now
    const { rules } = now.settings
    const windowBeganMs = this.#state.windowBeganMs
    const steps = advance(this.#state, { load, operator, rules, nowMs, random: Math.random() })
    this.#record(steps, now)
    this.#condition = conditionOf(this.#state, this.#condition, operator, { rules, nowMs })
    const minute = endMinute(this.#samples, nowMs)
    if (minute) this.#store.saveMinute(minute)
    if (steps.length > 0 || windowBeganMs !== this.#state.windowBeganMs) this.#save()
    return this.snapshot(operator, now)
  }

  /** Returns whether a breaker has changed its state, or a readmission ramp has begun or ended, since the last call. */
  isNews(snapshot: HealthSnapshot | null): boolean {
    const announced = JSON.stringify([snapshot?.breakers ?? {}, Object.keys(snapshot?.back ?? {})])
    const isNew = announced !== this.#announced
    this.#announced = announced
    return isNew
  }

  /** Applies the result of an active probe: milliseconds, or null when there was no good answer. */
  probed(
    upstream: UpstreamRules,
    answer: { readonly tookMs: number | null; readonly targetMs: number },
    now: HealthNow,
  ): void {
    const { settings, nowMs } = now
    const steps = probed(this.#state, upstream, answer, { rules: settings.rules, nowMs })
    this.#record(steps, now)
    if (steps.length > 0) this.#save()
  }

  /** Lifts the ceiling for an operator. Health may lower it again. */
  lift(now: HealthNow): void {
    this.#record(lifted(this.#state), now)
    this.#save()
  }

  limits<Rules extends AdmissionLimits>(operator: Rules, { load, settings: { rules }, nowMs }: HealthNow): Rules {
    return admissionLimitsNow(this.#state, load, operator, { rules, nowMs })
  }

  snapshot(operator: AdmissionLimits, { load, settings: { rules }, nowMs }: HealthNow): HealthSnapshot | null {
    return healthSnapshot(this.#state, load, operator, { rules, nowMs })
  }

  /** Returns the upstreams to probe now: their breaker is not closed. */
  toProbe({ rules, probes }: HealthSettings): readonly UpstreamRules[] {
    if (probes.size === 0 || rules.mode === 'off') return []
    const names = inTrouble(this.#state)
    return rules.upstreams.filter(({ name }) => names.includes(name) && probes.has(name))
  }

  figures(operator: AdmissionLimits, now: HealthNow): HealthFigures {
    const { rules } = now.settings
    const snapshot = this.snapshot(operator, now)
    const { ratePerMinute, totalActiveUsers } = this.limits(operator, now)
    const { ratePerMinute: rate, sessions, breakers } = rules.pins
    return {
      mode: rules.mode,
      ...shownCondition(this.#state, this.#condition, rules),
      reason: snapshot?.reason ?? null,
      ceiling: this.#state.ceiling.sessions === null ? null : Math.floor(this.#state.ceiling.sessions),
      there: Math.max(0, thereOf(this.#state.presence, now.load)),
      inside: snapshot?.inside ?? 1,
      ratePerMinute,
      totalActiveUsers,
      pins: [
        ...(rate === null ? [] : ['new_users_per_minute']),
        ...(sessions === null ? [] : ['total_active_users']),
        ...Object.keys(breakers).map(name => `breakers.${name}`),
      ],
      upstreams: rules.upstreams.map(upstream => this.#upstream(upstream, snapshot, now)),
    }
  }

  report(figures: HealthFigures, minutes: number, nowMs: number): HealthReport {
    return {
      health: figures,
      decisions: this.#store.decisions(),
      history: this.#store.minutes(minutes, nowMs).map(({ minute, upstreams }) => ({
        atMs: minute * MINUTE_MS,
        upstreams: Object.fromEntries(Object.entries(upstreams).map(([name, counts]) => [name, summed(counts)])),
      })),
    }
  }

  /** Returns the answers of the origin in the minute that goes on; null if health is in another minute. */
  originIn(minute: number): OriginFigures | null {
    const open = this.#samples.minute
    if (open.minute !== minute) return null
    const { samples, p95Ms, apdex } = summed(own(open.upstreams, ORIGIN) ?? noCounts())
    return { samples, p95Ms, apdex }
  }

  /** Returns the newest decisions of a time, newest first. */
  decisions(fromMs: number, toMs: number): readonly Decision[] {
    return this.#store.decisions(fromMs, toMs)
  }

  #save(): void {
    this.#store.save({ ...this.#state, samples: this.#samples, condition: this.#condition })
  }

  #record(steps: readonly HealthStep[], { load, settings: { rules }, nowMs }: HealthNow): void {
    for (const decision of decisionsOf(steps, this.#state, { load, rules, nowMs })) {
      this.#store.log(decision)
      this.#note(decision)
    }
  }

  #upstream(
    { name, critical }: UpstreamRules,
    snapshot: HealthSnapshot | null,
    { settings: { rules }, nowMs }: HealthNow,
  ): UpstreamFigures {
    const breaker: Breaker = own(this.#state.upstreams, name)?.breaker ?? CLOSED
    const backSinceMs = own(snapshot?.back, name)
    return {
      name,
      critical,
      breaker: breakerOf(this.#state, name, rules),
      back: backSinceMs === undefined ? null : backShare(backSinceMs, nowMs),
      pinned: Object.hasOwn(rules.pins.breakers, name),
      sinceMs: breaker.sinceMs,
      untilMs: breaker.state === 'open' ? breaker.untilMs : null,
      ...summed(lastMinute(this.#samples, name, nowMs)),
    }
  }
}

function summed(counts: Counts) {
  return {
    samples: samplesOf(counts),
    p50Ms: quantileMs(counts, 0.5),
    p95Ms: quantileMs(counts, 0.95),
    apdex: apdexOf(counts),
    failures: failureShareOf(counts),
  }
}
