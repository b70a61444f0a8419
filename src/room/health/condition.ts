/** The condition of a room in the words of its operators: well, slowed or down, since when, and what ends it. */
import { breakerOf } from '../../core/health/effect.ts'
import { type HealthRules, type HealthState, upstreamIn } from '../../core/health/state.ts'
import type { AdmissionLimits } from '../../core/permits/bank.ts'
import type { Condition } from '../../core/protocol/health.ts'

/** The state that health has found, and since when. Plain data, so that it can be stored. */
export type KnownCondition = { readonly state: Condition['state']; readonly sinceMs: number }

/** Returns the condition now. `before` is the condition that was known until now. */
export function conditionOf(
  health: HealthState,
  before: KnownCondition,
  { totalActiveUsers }: AdmissionLimits,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): KnownCondition {
  const isDown = rules.upstreams.some(
    ({ name, critical }) => critical && upstreamIn(health, name).breaker.state !== 'closed',
  )
  const isSlowed = health.isRationed || (health.ceiling.sessions ?? Infinity) < totalActiveUsers
  const state = isDown ? 'down' : isSlowed ? 'slowed' : 'well'
  return state === before.state ? before : { state, sinceMs: nowMs }
}

/** Returns the condition as operators see it: pins by hand come first. */
export function shownCondition(health: HealthState, { state, sinceMs }: KnownCondition, rules: HealthRules): Condition {
  const nothing = { sinceMs: null, ends: null, nextTrialMs: null, raisedFromMs: null } as const
  const critical = rules.upstreams.filter(upstream => upstream.critical).map(({ name }) => name)
  const isPinned = (name: string) => Object.hasOwn(rules.pins.breakers, name)
  if (critical.some(name => isPinned(name) && breakerOf(health, name, rules) === 'open'))
    return { ...nothing, state: 'down', ends: 'operator' }
  if (rules.mode === 'off') return { ...nothing, state: 'well' }
  if (state === 'well') return { ...nothing, state, sinceMs }
  const untilMs = critical.flatMap(name => {
    const { breaker } = upstreamIn(health, name)
    return breaker.state === 'open' ? [breaker.untilMs] : []
  })
  const nextTrialMs = untilMs.length === 0 ? null : Math.max(...untilMs)
  const { sessions, cutAtMs } = health.ceiling
  const raisedFromMs = sessions === null || cutAtMs === null ? null : cutAtMs + rules.cooldownMs
  return { state, sinceMs, ends: nextTrialMs === null ? 'good-answers' : 'trial', nextTrialMs, raisedFromMs }
}
