/** A room's settings in the form that decisions use: milliseconds, compiled patterns, nothing left to check. */
import ipaddr from 'ipaddr.js'
import type { Quota } from '../core/gcra.ts'
import type { RoomRules } from '../core/room.ts'
import type { SessionRules } from '../core/sessions.ts'
import { compileAnonymous, compilePolicies, type Policy, quotasOf } from './rate-limits.ts'
import type { BypassRule, RoomConfig } from './schema.ts'

const MINUTE_MS = 60_000

/** What a bypass rule may look at. Paths are decided by the caller, who knows in how many ways one reads. */
export interface BypassFacts {
  readonly method: string
  readonly headers: Headers
  readonly cookies: ReadonlyMap<string, readonly string[]>
  readonly address: string | null
  readonly country: string | null
  readonly verifiedCrawler: boolean
}

export interface Bypass {
  matchesPath(path: string): boolean
  matchesFacts(facts: BypassFacts): boolean
}

export interface RoomSettings {
  readonly config: RoomConfig
  readonly session: SessionRules
  readonly limits: RoomRules
  readonly claimWindowMs: number
  /**
   * What becomes of a newcomer who cannot come in at once. `queue_all` goes before the method, as with Cloudflare: it holds
   * everybody in line, whatever the method.
   */
  readonly newcomers: 'wait' | 'pass through' | 'are rejected'
  readonly protectedMs: number
  readonly originTimeoutMs: number
  readonly bypass: readonly Bypass[]
  /** In force for admitted sessions: none in a suspended room. */
  readonly policies: readonly Policy[]
  /** Of all policies of the list, by name: a door lends also by one that is about to be turned on or off. */
  readonly quotas: ReadonlyMap<string, Quota>
  /** What a network may do without a session, at one isolate; null for no limit. */
  readonly anonymous: Quota | null
  isProtected(path: string): boolean
}

export function compile(config: RoomConfig): RoomSettings {
  const newcomers = newcomersOf(config)
  const claimWindowMs = config.claim_window * MINUTE_MS
  const protectedPaths = config.protected_paths.map(pathname => new URLPattern({ pathname }))
  return {
    config,
    session: {
      sessionMs: config.session_duration * MINUTE_MS,
      renewal: !config.disable_session_renewal,
      sessionMaxMs: config.max_session_duration === null ? null : config.max_session_duration * MINUTE_MS,
      reentryGraceMs: config.reentry_grace * MINUTE_MS,
      claimWindowMs,
    },
    limits: {
      ratePerMinute: config.queue_all ? 0 : config.new_users_per_minute,
      totalActiveUsers: config.total_active_users,
      claimWindowMs,
      shuffleMs: config.queueing_method === 'random' ? Math.round(config.shuffle_window * MINUTE_MS) : null,
      rejects: newcomers === 'are rejected',
      remaining: config.remaining,
    },
    newcomers,
    claimWindowMs,
    protectedMs: config.protected_duration * MINUTE_MS,
    originTimeoutMs: config.origin_timeout * 1_000,
    bypass: config.bypass.map(compileBypass),
    policies: config.suspended ? [] : compilePolicies(config.rate_limits, config.mode === 'observe'),
    quotas: quotasOf(config.rate_limits),
    anonymous: compileAnonymous(config.anonymous),
    isProtected: pathname => protectedPaths.some(pattern => pattern.test({ pathname })),
  }
}

function newcomersOf({ queueing_method, queue_all }: RoomConfig): RoomSettings['newcomers'] {
  if (queue_all) return 'wait'
  switch (queueing_method) {
    case 'passthrough':
      return 'pass through'
    case 'reject':
      return 'are rejected'
    case 'fifo':
    case 'random':
      return 'wait'
  }
}

function compileBypass(rule: BypassRule): Bypass {
  const path = rule.path === undefined ? null : new URLPattern({ pathname: rule.path })
  const ranges = rule.cidr?.map(range => ipaddr.parseCIDR(range)) ?? null
  return {
    matchesPath: pathname => path === null || path.test({ pathname }),
    matchesFacts: facts =>
      (rule.methods?.includes(facts.method) ?? true) &&
      (!rule.header || hasValue(facts.headers.get(rule.header.name), rule.header.value)) &&
      (!rule.cookie ||
        (facts.cookies.get(rule.cookie.name) ?? []).some(value => hasValue(value, rule.cookie?.value))) &&
      (ranges === null || isInside(facts.address, ranges)) &&
      (rule.country === undefined || (facts.country !== null && rule.country.includes(facts.country))) &&
      (!rule.verified_crawler || facts.verifiedCrawler),
  }
}

function hasValue(value: string | null, wanted: string | undefined): boolean {
  return value !== null && (wanted === undefined || value === wanted)
}

function isInside(address: string | null, ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][]): boolean {
  if (address === null || !ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range as never, bits))
}
