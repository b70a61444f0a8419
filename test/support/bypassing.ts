/** Finds out whether bypass rules let a request by, without a gate. */
import { readingsOf } from '../../src/core/path.ts'
import { rawQueryOf } from '../../src/core/query.ts'
import type { BypassRule } from '../../src/settings/bypass/rule.ts'
import { type BypassFacts, compileBypass } from '../../src/settings/compiled/bypass.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

/** The parts of a request that rules look at. */
interface Request {
  readonly target?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly address?: string | null
  readonly country?: string | null
  readonly botCategory?: string
}

/** Returns whether a rule of a file lets a request by. */
export function isBy(rule: object, request: Request): boolean {
  const file = { name: 'shop', host: 'shop.example', total_active_users: 1, new_users_per_minute: 1 }
  const [room] = parseRooms([{ ...file, bypass: [rule] }])
  return letBy(room?.bypass ?? [], request)
}

/** Returns whether rules let a request by, unchecked, for sites below some paths. */
export function letBy(rules: readonly BypassRule[], request: Request, below: readonly string[] = ['/']): boolean {
  const facts = factsOf(request)
  return compileBypass(rules, below).some(one => one.matchesPath(facts.readings) && one.matchesFacts(facts))
}

function factsOf(request: Request): BypassFacts {
  const { target = '/', method = 'GET', headers = {}, address = null, country = null, botCategory = null } = request
  const sent = new Headers(headers)
  return {
    method,
    readings: readingsOf(target.replace(/\?.*$/, '')),
    query: rawQueryOf(target),
    header: name => (sent.get('Connection')?.includes(name) ? null : sent.get(name)),
    sentHeader: name => sent.get(name),
    cookies: new Map(
      [...(sent.get('Cookie') ?? '').matchAll(/(\w+)=(\w+)/g)].map(([, name = '', value = '']) => [name, [value]]),
    ),
    address,
    country,
    botCategory,
  }
}
