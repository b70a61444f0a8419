/** Requests that a room does not decide about: it is suspended, a rule lets them by, or they are CORS preflights. */
import type { Bypass, BypassFacts } from '../../settings/compiled/bypass.ts'
import { limitedNetwork } from '../first-use/network-quota.ts'
import { bypassFacts, isPreflight, type Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Verdict } from './verdict.ts'

/**
 * Preflights carry no cookies and go to the origin. One network may send 1,000 at once (an office), then 100 per
 * second, at each isolate.
 */
const PREFLIGHTS = { intervalMs: 10, burst: 1_000 }
/**
 * A crawler loads a hundred sitemaps one after another. A flood of made-up names below `/.well-known/` reaches the
 * origin no faster than this from one network, at each isolate.
 */
const WELL_KNOWN_FILES = { intervalMs: 100, burst: 300 }

/**
 * Returns the verdict about a request to which the room does not apply, else null. It depends on nothing that is known
 * of a session, so that a visitor inside is no worse off than a stranger.
 */
export function letBy(visit: Visit, room: RoomClient): Verdict | null {
  const { config, bypass, wellKnown } = room.settings
  if (config.suspended) return { kind: 'proxy', why: 'suspended' }
  // The site calls itself.
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

/** Whether the network of a visitor may load well-known files. Beyond its limit they fall under the room. */
function mayLoadFiles(visit: Visit, room: RoomClient): boolean {
  const network = limitedNetwork(visit, room)
  return !network || room.spendOrWaitMs(`well-known/${network}`, WELL_KNOWN_FILES, visit.nowMs) === 0
}

/** Limits preflights by network. A visitor whose network is unknown shares no limit with others. */
function preflight(visit: Visit, room: RoomClient): Verdict {
  const { preflights, mode } = room.settings.config
  if (preflights === 'answer' && mode !== 'observe') return { kind: 'preflight', why: 'preflight', room }
  const network = limitedNetwork(visit, room)
  const retryAfterMs = network ? room.spendOrWaitMs(`preflight/${network}`, PREFLIGHTS, visit.nowMs) : 0
  if (retryAfterMs > 0) return { kind: 'limited', why: 'preflights', retryAfterMs, by: null }
  return { kind: 'proxy', why: 'preflight' }
}
