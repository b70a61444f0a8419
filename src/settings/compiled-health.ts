/** Origin health in the form that decisions use: milliseconds, and every default filled in. */
import { ORIGIN } from '../core/health/samples.ts'
import type { HealthRules, UpstreamRules } from '../core/health/state.ts'
import type { Fallback, HealthConfig, PinsConfig, ProbeConfig, UpstreamConfig } from './health.ts'
import { compilePatterns } from './patterns.ts'

const MINUTE_MS = 60_000

/** An upstream as an edge uses it. */
export interface Upstream {
  readonly name: string
  readonly timeoutMs: number
  /** Silence within a body that ends it; null leaves that to the platform. */
  readonly bodyTimeoutMs: number | null
  readonly targetMs: number
  readonly fallback: Fallback
  /** It has a breaker of its own, and so few may ask for it that each session counts. */
  readonly tellsSessions: boolean
}

export interface HealthSettings {
  readonly rules: HealthRules
  readonly origin: Upstream
  /** The upstream of a request: the first that matches, else the origin. */
  readonly upstreamOf: (paths: readonly string[], method: string) => Upstream
  readonly probes: ReadonlyMap<string, ProbeConfig & { readonly targetMs: number }>
  readonly shed: { readonly matches: (paths: readonly string[]) => boolean; readonly k: number } | null
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
  const named = config.upstreams.map(one => ({
    ...compiled(one, health, originTimeoutMs, originBodyTimeoutMs),
    matches: matcher(one, ignoreCase),
  }))
  const origin: Upstream = {
    name: ORIGIN,
    timeoutMs: originTimeoutMs,
    bodyTimeoutMs: originBodyTimeoutMs,
    targetMs: health.target_ms,
    fallback: { answer: 'page', message: '' },
    tellsSessions: false,
  }
  const shedPaths = health.shed && compilePatterns(health.shed.paths, ignoreCase)
  const originProbe = health.probe ? [[ORIGIN, { ...health.probe, targetMs: health.target_ms }] as const] : []
  return {
    rules: rulesOf(health, pins, config.upstreams),
    origin,
    upstreamOf: (paths, verb) => named.find(one => one.matches(paths, verb)) ?? origin,
    probes: new Map([
      ...originProbe,
      ...config.upstreams.flatMap(one =>
        one.probe ? [[one.name, { ...one.probe, targetMs: one.target_ms ?? health.target_ms }] as const] : [],
      ),
    ]),
    shed: health.shed && shedPaths ? { matches: paths => paths.some(shedPaths), k: health.shed.k } : null,
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
    tellsSessions: one.breaker.enabled,
  }
}

/** Any reading of a path counts: a closed feature must not be open under another spelling. */
function matcher(
  { paths, methods }: UpstreamConfig,
  ignoreCase: boolean,
): (readings: readonly string[], verb: string) => boolean {
  const isPath = compilePatterns(paths, ignoreCase)
  return (readings, verb) => (methods?.includes(verb) ?? true) && readings.some(isPath)
}
