/** Origin health in the form that decisions use: milliseconds, and every default filled in. */
import { ORIGIN } from '../../core/health/outcome.ts'
import type { HealthRules, UpstreamRules } from '../../core/health/state.ts'
import { Readings } from '../../core/path.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import type { Fallback, HealthConfig, PinsConfig, ProbeConfig, UpstreamConfig } from '../health.ts'
import { type PathRule, pathRule } from '../patterns.ts'

/** An upstream as an edge uses it. */
export interface Upstream {
  readonly name: string
  readonly timeoutMs: number
  /** A body from which nothing has come for this long is ended. Null leaves that to the platform. */
  readonly bodyTimeoutMs: number | null
  readonly targetMs: number
  readonly fallback: Fallback
}

export interface HealthSettings {
  readonly rules: HealthRules
  readonly origin: Upstream
  /**
   * Returns the upstreams of a request: for each reading of its path the first upstream that matches, or else the
   * origin. The list nearly always has only one. The request counts for the first upstream in the list. The request is
   * blocked while the breaker of any upstream in the list blocks it.
   */
  readonly upstreamsOf: (readings: Readings, method: string) => readonly [Upstream, ...Upstream[]]
  readonly probes: ReadonlyMap<string, ProbeConfig & { readonly targetMs: number }>
  readonly shed: { readonly matches: (readings: Readings) => boolean; readonly k: number } | null
}

export function compileHealth(config: {
  health: HealthConfig
  health_pins: PinsConfig
  upstreams: readonly UpstreamConfig[]
  origin_timeout: number
  origin_body_timeout: number | null
  case_insensitive_paths: boolean
}): HealthSettings {
  const originTimeoutMs = config.origin_timeout * 1_000
  const originBodyTimeoutMs = config.origin_body_timeout === null ? null : config.origin_body_timeout * 1_000
  const { health, health_pins: pins, case_insensitive_paths: ignoreCase } = config
  const named = config.upstreams.map((one): Named => {
    const upstream = compiled(one, health, originTimeoutMs, originBodyTimeoutMs)
    return { only: [upstream], methods: one.methods, paths: pathRule(one.paths, { ignoreCase, exact: one.exact }) }
  })
  const origin: Upstream = {
    name: ORIGIN,
    timeoutMs: originTimeoutMs,
    bodyTimeoutMs: originBodyTimeoutMs,
    targetMs: health.target_ms,
    fallback: { answer: 'page', message: '' },
  }
  const shedPaths = health.shed && pathRule(health.shed.paths, { ignoreCase, exact: health.shed.exact })
  const originProbe = health.probe ? [[ORIGIN, { ...health.probe, targetMs: health.target_ms }] as const] : []
  return {
    rules: rulesOf(health, pins, config.upstreams),
    origin,
    upstreamsOf: upstreamsIn(named, [origin]),
    probes: new Map([
      ...originProbe,
      ...config.upstreams.flatMap(one =>
        one.probe ? [[one.name, { ...one.probe, targetMs: one.target_ms ?? health.target_ms }] as const] : [],
      ),
    ]),
    shed: health.shed && shedPaths ? { matches: shedPaths.matches, k: health.shed.k } : null,
  }
}

function rulesOf(health: HealthConfig, pins: PinsConfig, upstreams: readonly UpstreamConfig[]): HealthRules {
  const everything: UpstreamRules = {
    name: ORIGIN,
    critical: true,
    apdexTarget: health.apdex_target,
    openMs: health.open * MINUTE_MS,
  }
  const named = upstreams.map(one => ({
    name: one.name,
    critical: one.critical,
    apdexTarget: one.apdex_target ?? health.apdex_target,
    openMs: one.breaker.enabled ? one.breaker.open * MINUTE_MS : null,
  }))
  return {
    mode: health.mode,
    badWindows: health.bad_windows,
    goodWindows: health.good_windows,
    sessionsMin: health.min_active_users,
    cooldownMs: health.cooldown * MINUTE_MS,
    rampMs: health.ramp * MINUTE_MS,
    upstreams: [everything, ...named],
    pins: {
      ratePerMinute: pins.new_users_per_minute,
      sessions: pins.total_active_users,
      breakers: pins.breakers,
    },
  }
}

function compiled(
  one: UpstreamConfig,
  health: HealthConfig,
  originTimeoutMs: number,
  originBodyTimeoutMs: number | null,
): Upstream {
  return {
    name: one.name,
    timeoutMs: one.timeout === null ? originTimeoutMs : one.timeout * 1_000,
    bodyTimeoutMs: one.body_timeout === null ? originBodyTimeoutMs : one.body_timeout * 1_000,
    targetMs: one.target_ms ?? health.target_ms,
    fallback: one.fallback,
  }
}

/** A named upstream. `only` is a list with just this upstream, so that a usual request need not allocate one. */
interface Named {
  readonly only: readonly [Upstream]
  readonly methods: readonly string[] | null
  readonly paths: PathRule
}

/**
 * Returns the upstreams of a request. Any reading of its path counts: a blocked upstream must not be reachable by
 * another spelling.
 */
function upstreamsIn(named: readonly Named[], origin: readonly [Upstream]): HealthSettings['upstreamsOf'] {
  if (named.length === 0) return () => origin
  return (readings, verb) => {
    const possible = named.filter(({ methods }) => methods?.includes(verb) ?? true)
    const firstOf = (one: Readings) => possible.find(({ paths }) => paths.matches(one))?.only ?? origin
    if (readings.unreadable) return [...origin, ...possible.flatMap(({ only }) => only)]
    if (readings.paths.length === 1) return firstOf(readings)
    const [first = origin, ...others] = readings.paths.map(path => firstOf(new Readings([path], false)))
    return [...first, ...new Set(others.flat().filter(other => other !== first[0]))]
  }
}
