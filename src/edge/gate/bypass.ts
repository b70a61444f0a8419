/**
 * Requests about which a room does not decide: the room is suspended, a rule lets them by, or they are CORS preflights.
 */
import type { Bypass, BypassFacts } from '../../settings/compiled/bypass.ts'
import { limitedNetwork } from '../first-use/network-quota.ts'
import { bypassFacts, isPreflight, type Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Verdict } from './verdict.ts'

/**
 * Preflights carry no cookies and go to the origin. At each isolate, one network may send 1,000 at once (an office),
 * then 100 per second.
 */
const PREFLIGHTS = { intervalMs: 10, burst: 1_000 }
/**
 * A crawler loads a hundred sitemaps one after another, which this allows. It also limits how fast one network can
 * flood the origin with made-up names below `/.well-known/`, at each isolate.
 */
const WELL_KNOWN_FILES = { intervalMs: 100, burst: 300 }

/**
 * Returns the verdict about a request to which the room does not apply, or null. It does not depend on a session, so
 * that a visitor inside is treated no worse than a stranger.
 */
export function letBy(visit: Visit, room: RoomClient): Verdict | null {
  const { config, bypass, wellKnown } = room.settings
  if (config.suspended) return { kind: 'proxy', why: 'suspended' }
  // The request comes from an address of the origin: the site calls itself.
  if (visit.deployment.originAddresses.has(visit.address)) return { kind: 'proxy', why: 'bypass' }
  if (isBypassed(visit, bypass)) return { kind: 'proxy', why: 'bypass' }
  if (isBypassed(visit, wellKnown) && mayLoadFiles(visit, room)) return { kind: 'proxy', why: 'bypass' }
  return isPreflight(visit.request) ? preflight(visit, room) : null
}

function isBypassed(visit: Visit, rules: readonly Bypass[]): boolean {
  let facts: BypassFacts | undefined
  return rules.some(rule => {
    if (!rule.matchesPath(visit.readings)) return false
    facts ??= bypassFacts(visit)
    return rule.matchesFacts(facts)
  })
}

/** True if the network of a visitor may load well-known files now. Beyond its limit the room applies to them. */
function mayLoadFiles(visit: Visit, room: RoomClient): boolean {
  const network = limitedNetwork(visit, room)
  return !network || room.spendOrWaitMs(`well-known/${network}`, WELL_KNOWN_FILES, visit.nowMs) === 0
}

/** Limits preflights by network. A visitor from an unknown network shares no limit with others. */
function preflight(visit: Visit, room: RoomClient): Verdict {
  const { preflights, mode } = room.settings.config
  if (preflights === 'answer' && mode !== 'observe') return { kind: 'preflight', why: 'preflight', room }
  const network = limitedNetwork(visit, room)
  const retryAfterMs = network ? room.spendOrWaitMs(`preflight/${network}`, PREFLIGHTS, visit.nowMs) : 0
  if (retryAfterMs > 0) return { kind: 'limited', why: 'preflights', retryAfterMs, by: null }
  return { kind: 'proxy', why: 'preflight' }
}
