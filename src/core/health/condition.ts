/** The condition of a room in the words of its operators: well, slowed or down, since when, and what ends it. */
import type { AdmissionLimits } from '../permits/bank.ts'
import { breakerOf } from './effect.ts'
import { type HealthRules, type HealthState, upstreamIn } from './state.ts'

export interface Condition {
  readonly state: 'well' | 'slowed' | 'down'
  /** Null for a state that the operator has set. */
  readonly sinceMs: number | null
  /**
   * `trial`: the next trial. `good-answers`: good answers, in the trial or under the ceiling. `operator`: only the
   * operator, who has set it. Null for a room that is well.
   */
  readonly ends: 'trial' | 'good-answers' | 'operator' | null
  /** When the next trial begins; null while none is due. */
  readonly nextTrialMs: number | null
  /** The earliest time at which the ceiling may rise; null without a ceiling. */
  readonly raisedFromMs: number | null
}

export function endOf(health: HealthState, rules: HealthRules): Condition {
  const { condition, ceiling, upstreams } = health
  const nothing = { sinceMs: null, ends: null, nextTrialMs: null, raisedFromMs: null } as const
  const critical = rules.upstreams.filter(upstream => upstream.critical).map(({ name }) => name)
  const isPinned = (name: string) => Object.hasOwn(rules.pins.breakers, name)
  if (critical.some(name => isPinned(name) && breakerOf(health, name, rules) === 'open'))
    return { ...nothing, state: 'down', ends: 'operator' }
  if (rules.mode === 'off') return { ...nothing, state: 'well' }
  const { state, sinceMs } = condition
  if (state === 'well') return { ...nothing, state, sinceMs }
  const untilMs = critical.flatMap(name => {
    const breaker = Object.hasOwn(upstreams, name) ? upstreams[name]?.breaker : undefined
    return breaker?.state === 'open' ? [breaker.untilMs] : []
  })
  const nextTrialMs = untilMs.length === 0 ? null : Math.max(...untilMs)
  const raisedFromMs = ceiling.sessions === null || ceiling.cutAtMs === null ? null : ceiling.cutAtMs + rules.cooldownMs
  return { state, sinceMs, ends: nextTrialMs === null ? 'good-answers' : 'trial', nextTrialMs, raisedFromMs }
}

/** Notes since when the room is well, slowed or down. */
export function noteCondition(health: HealthState, operator: AdmissionLimits, rules: HealthRules, nowMs: number): void {
  const isDown = rules.upstreams.some(
    ({ name, critical }) => critical && upstreamIn(health, name).breaker.state !== 'closed',
  )
  const isSlowed = health.isRationed || (health.ceiling.sessions ?? Infinity) < operator.totalActiveUsers
  const state = isDown ? 'down' : isSlowed ? 'slowed' : 'well'
  if (state !== health.condition.state) health.condition = { state, sinceMs: nowMs }
}
