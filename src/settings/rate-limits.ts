/**
 * Rate limit policies, as operators write them and in compiled form: the limits of a session, and those of a network
 * without a session.
 */
import * as z from 'zod'
import { type Quota, quotaOf } from '../core/gcra.ts'
import type { Readings } from '../core/path.ts'
import { flag, numberIn, oneOf, type SettingsProblem, show, textLike, textThat } from './messages.ts'
import { method, type PathRule, pathPattern, pathRule } from './patterns.ts'

const POLICIES_MAX = 16
/** The most requests per second in a policy, because no clock here is finer than a millisecond. */
const PER_SECOND_MAX = 1_000
/** Names of limits that are no policies, so no policy may have them. */
const RESERVED = ['anonymous', 'concurrent']
/**
 * The default policy. It is so generous that no person notices it, but visitors who share a pass share one budget. The
 * heaviest admin page takes about a hundred requests.
 */
const SESSION_POLICY = { name: 'session', count: 1_200, period: 60, burst: 600 }
const TOKEN = /^[!#$%&'*+\-.^`|~\w]+$/

const name = () =>
  textLike(/^[a-z0-9][a-z0-9_-]{0,31}$/i, '1 to 32 letters, digits, - or _, a letter or digit first').refine(
    text => !RESERVED.includes(text.toLowerCase()),
    { error: issue => `must not be ${show(issue.input)}, which limits something else` },
  )

const cost = z.union(
  [numberIn(1, 10_000), z.strictObject({ header: textThat(text => TOKEN.test(text), 'a header name') })],
  {
    error: issue =>
      `must be a whole number, 1 to 10,000, or { header = "a header name" } of the origin's answer, got ${show(issue.input)}`,
  },
)

const policySchema = z
  .strictObject({
    name: name(),
    match: z
      .strictObject({
        paths: z
          .array(pathPattern())
          .min(1, { error: 'must name at least one path where it is given' })
          .max(50, { error: 'must name at most 50 paths' })
          .optional(),
        exact: flag().default(false),
        methods: z.array(method()).min(1, { error: 'must name at least one method where it is given' }).optional(),
      })
      .prefault({}),
    count: numberIn(1, 1_000_000),
    period: numberIn(1, 86_400),
    burst: numberIn(1, 1_000_000).optional(),
    cost: cost.default(1),
    key: oneOf('session', 'session+path', 'network').default('session'),
    mode: oneOf('enforce', 'shadow', 'off').default('enforce'),
    action: oneOf('limit', 'requeue').default('limit'),
  })
  .superRefine(({ count, period, burst = count, cost, key, action }, context) => {
    const isShared = key === 'network'
    if (isShared && typeof cost !== 'number') {
      const message =
        'must be a number where key is "network": an answer comes too late to be counted for the whole network'
      context.addIssue({ code: 'custom', path: ['cost'], message })
    }
    if (isShared && action === 'requeue') {
      const message =
        'must be "limit" where key is "network": no visitor loses a session by what neighbours do, got "requeue"'
      context.addIssue({ code: 'custom', path: ['action'], message })
    }
    if (count / period > PER_SECOND_MAX) {
      const most = (period * PER_SECOND_MAX).toLocaleString('en')
      const message = `must be at most ${most} in a period of ${period} s (1,000 a second), got ${count}`
      context.addIssue({ code: 'custom', path: ['count'], message })
    }
    if (typeof cost === 'number' && cost > burst && burst >= 1) {
      const message = `must be at most the burst (${burst}), or no request would ever pass, got ${cost}`
      context.addIssue({ code: 'custom', path: ['cost'], message })
    }
  })
  .transform(policy => ({ ...policy, burst: policy.burst ?? policy.count }))

/**
 * The policies of a room. If none is named `session`, a default one is added. An operator turns it off by its `mode`.
 */
export const rateLimits = z
  .array(policySchema)
  .superRefine((policies, context) => {
    const own = policies.filter(policy => policy.name.toLowerCase() !== SESSION_POLICY.name).length
    if (own > POLICIES_MAX) {
      const message = `must have at most ${POLICIES_MAX} policies beside ${SESSION_POLICY.name}, got ${own}`
      context.addIssue({ code: 'custom', path: [], message })
    }
    policies.forEach((policy, index) => {
      const first = policies.findIndex(other => other.name.toLowerCase() === policy.name.toLowerCase())
      if (first === index) return
      const message = `must be unique, ${show(policy.name)} is rate_limits[${first}] already`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    })
  })
  .transform(policies =>
    policies.some(policy => policy.name.toLowerCase() === SESSION_POLICY.name)
      ? policies
      : [...policies, policySchema.parse(SESSION_POLICY)],
  )

/**
 * The quota of tickets that one isolate counts in the line for one network: enough for an office, too few for a script.
 */
export const anonymousLimit = z.strictObject({
  count: numberIn(1, 1_000_000).default(120),
  period: numberIn(1, 86_400).default(60),
  // This lets an office of 500 people into the line at once, even if each was first refused at an open door.
  burst: numberIn(1, 1_000_000).default(1_000),
  mode: oneOf('enforce', 'off').default('enforce'),
})

/** The answers that contain the RateLimit fields, and the version of the draft. */
export const rateLimitHeaders = z.strictObject({
  on: oneOf('auto', 'always', 'limited').default('auto'),
  version: oneOf('draft-11', 'draft-7').default('draft-11'),
})

type PolicyConfig = z.output<typeof policySchema>
type AnonymousConfig = z.output<typeof anonymousLimit>

/** A policy in force, ready to decide. */
export interface Policy {
  readonly name: string
  readonly quota: Quota
  readonly count: number
  readonly periodSeconds: number
  /** The tokens that are taken from a session when a request is forwarded. */
  readonly cost: number
  /**
   * The header in which the origin's answer contains the cost of the request. That cost is charged after the answer.
   */
  readonly costHeader: string | null
  readonly perPath: boolean
  /** True if the policy counts by network instead of by session. Each isolate counts separately. */
  readonly perNetwork: boolean
  readonly paths: PathRule
  /** True if the policy only counts what it would refuse, and refuses nothing. */
  readonly isShadow: boolean
  readonly requeues: boolean
  /** True if the policy covers every request, so that requests need not be inspected. */
  readonly matchesAll: boolean
  matches(method: string, readings: Readings): boolean
}

/**
 * Returns the policies that are not off. In a room with `observe`, they only count and refuse nothing. With
 * `ignoreCase` the origin treats `/Login` and `/login` as one path.
 */
export function compilePolicies(
  policies: readonly PolicyConfig[],
  { observe, ignoreCase }: { readonly observe: boolean; readonly ignoreCase: boolean },
): readonly Policy[] {
  return policies
    .filter(({ mode }) => mode !== 'off')
    .map(policy => {
      const paths = pathRule(policy.match.paths ?? null, { ignoreCase, exact: policy.match.exact })
      const methods = policy.match.methods ? new Set(policy.match.methods) : null
      return {
        name: policy.name,
        quota: quotaFor(policy),
        count: policy.count,
        periodSeconds: policy.period,
        cost: typeof policy.cost === 'number' ? policy.cost : 1,
        costHeader: typeof policy.cost === 'number' ? null : policy.cost.header,
        perPath: policy.key === 'session+path',
        perNetwork: policy.key === 'network',
        paths,
        isShadow: observe || policy.mode === 'shadow',
        requeues: policy.action === 'requeue',
        matchesAll: policy.match.paths === undefined && methods === null,
        matches: (method, readings) => (methods === null || methods.has(method)) && paths.matches(readings),
      }
    })
}

export function quotasOf(policies: readonly PolicyConfig[]): ReadonlyMap<string, Quota> {
  return new Map(policies.map(policy => [policy.name, quotaFor(policy)]))
}

export function compileAnonymous(limit: AnonymousConfig): Quota | null {
  return limit.mode === 'off' ? null : quotaFor(limit)
}

function quotaFor({ count, period, burst }: { count: number; period: number; burst: number }): Quota {
  return quotaOf(count, period * 1_000, burst)
}

/** Adds the name of the policy to a problem. Then an operator need not count the entries of the list. */
export function namePolicy(problem: SettingsProblem, room: unknown): SettingsProblem {
  const index = /\brate_limits\[(\d+)\]/.exec(problem.path)?.[1]
  if (index === undefined || typeof room !== 'object' || room === null) return problem
  const list: unknown = Reflect.get(room, 'rate_limits')
  const policy: unknown = Array.isArray(list) ? list[Number(index)] : null
  const named = typeof policy === 'object' && policy !== null ? Reflect.get(policy, 'name') : undefined
  return typeof named === 'string' ? { ...problem, message: `${problem.message} (policy ${show(named)})` } : problem
}
