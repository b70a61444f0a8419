/** The settings of origin health and upstreams. */
import * as z from 'zod'
import { ORIGIN } from '../core/health/outcome.ts'
import { readingsOf } from '../core/path.ts'
import { flag, isOwnName, numberIn, oneOf, show, textLike, textThat } from './messages.ts'
import { method, pathPattern, pathRule } from './patterns.ts'
import { ownText } from './texts/settings.ts'

const UPSTREAMS_MAX = 20

const localPath = (what: string) =>
  textThat(text => /^\/(?!\/)[\w\-./~!$&'()*+,;=:@%?]*$/.test(text), `${what} like /health that begins with one /`)

/**
 * A probe request. Its interval and timeout are in seconds. An answer counts as healthy only if it has the `status`
 * given here.
 */
const probe = z.strictObject({
  path: localPath('a path'),
  interval: numberIn(1, 300, 'fractions').default(5),
  timeout: numberIn(0.1, 30, 'fractions').default(2),
  status: numberIn(100, 599).default(200),
})

const targetMs = () => numberIn(10, 60_000)
const apdexTarget = () => numberIn(0.5, 0.99, 'fractions')

export const healthSettings = z
  .strictObject({
    mode: oneOf('enforce', 'shadow', 'off').default('enforce'),
    target_ms: targetMs().default(500),
    apdex_target: apdexTarget().default(0.85),
    bad_windows: numberIn(1, 12).default(2),
    good_windows: numberIn(1, 12).default(3),
    min_active_users: numberIn(1, 10_000_000).default(10),
    cooldown: numberIn(0, 60, 'fractions').default(3),
    ramp: numberIn(0, 60, 'fractions').default(2),
    open: numberIn(0.05, 5, 'fractions').default(0.5),
    probe: probe.nullable().default(null),
    shed: z
      .strictObject({
        paths: z.array(pathPattern()).min(1, { error: 'must have at least one path' }).max(50),
        exact: flag().default(false),
        k: numberIn(1.1, 10, 'fractions').default(2),
      })
      .nullable()
      .default(null),
  })
  .prefault({})

const breakerPin = () => oneOf('open', 'closed')

export const healthPins = z
  .strictObject({
    new_users_per_minute: numberIn(0, 1_000_000).nullable().default(null),
    total_active_users: numberIn(1, 10_000_000).nullable().default(null),
    breakers: z.record(z.string(), breakerPin()).default({}),
  })
  .prefault({})

const fallback = z.discriminatedUnion(
  'answer',
  [
    z.strictObject({ answer: z.literal('problem') }),
    z.strictObject({
      answer: z.literal('page'),
      message: ownText().default(''),
    }),
    z.strictObject({ answer: z.literal('redirect'), to: localPath('a path') }),
  ],
  { error: issue => `must have an answer that is "problem", "page" or "redirect", got ${show(issue.input)}` },
)

const upstream = z
  .strictObject({
    name: textLike(/^[a-z0-9][a-z0-9_-]{0,31}$/, '1 to 32 small letters, digits, - or _, a letter or digit first')
      .refine(name => name !== ORIGIN, { error: `must not be "${ORIGIN}": that is everything which no upstream names` })
      .refine(isOwnName, { error: 'must not be "constructor": every object has one' }),
    paths: z.array(pathPattern()).min(1, { error: 'must have at least one path' }).max(50),
    exact: flag().default(false),
    methods: z.array(method()).min(1).nullable().default(null),
    timeout: numberIn(0.1, 100, 'fractions').nullable().default(null),
    body_timeout: numberIn(0.1, 300, 'fractions').nullable().default(null),
    target_ms: targetMs().nullable().default(null),
    apdex_target: apdexTarget().nullable().default(null),
    critical: flag().default(false),
    breaker: z
      .strictObject({ enabled: flag().default(true), open: numberIn(0.05, 5, 'fractions').default(0.5) })
      .prefault({}),
    probe: probe.nullable().default(null),
    fallback: fallback.default({ answer: 'problem' }),
  })
  .superRefine(({ fallback: answer, ...one }, context) => {
    if (answer.answer !== 'redirect' || !hasPath(one, answer.to)) return
    context.addIssue({
      code: 'custom',
      path: ['fallback', 'to'],
      message: `must not be a path of the upstream itself, got ${show(answer.to)}`,
    })
  })

export const upstreamList = z
  .array(upstream)
  .max(UPSTREAMS_MAX, { error: `must have at most ${UPSTREAMS_MAX} upstreams` })
  .superRefine((upstreams, context) => {
    upstreams.forEach(({ fallback: answer }, index) => {
      const [, ...others] = circleFrom(upstreams, index)
      if (others.length === 0 || answer.answer !== 'redirect') return
      const message = `must not lead back to the upstream itself when ${others.join(' and ')} is out, too, got ${show(answer.to)}`
      context.addIssue({ code: 'custom', path: [index, 'fallback', 'to'], message })
    })
    upstreams.forEach(({ name }, index) => {
      const first = upstreams.findIndex(other => other.name === name)
      if (first === index) return
      const message = `must be unique, ${show(name)} is upstreams[${first}] already`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    })
  })
  .default([])

/**
 * Returns the upstreams through which fallback redirects lead back to the first one, if all of them are blocked.
 * Returns an empty list if the redirects lead elsewhere.
 */
function circleFrom(upstreams: readonly z.output<typeof upstream>[], first: number): readonly string[] {
  const passed: string[] = []
  let at = upstreams[first]
  while (at && !passed.includes(at.name) && at.fallback.answer === 'redirect') {
    passed.push(at.name)
    const { to } = at.fallback
    // The redirect of a page load leads to a GET request.
    at = upstreams.find(one => (one.methods?.includes('GET') ?? true) && hasPath(one, to))
  }
  return at && at === upstreams[first] ? passed : []
}

/** Returns whether an upstream contains the path to which a redirect leads. */
function hasPath({ paths, exact }: Pick<z.output<typeof upstream>, 'paths' | 'exact'>, to: string): boolean {
  return pathRule(paths, { ignoreCase: false, exact }).matches(readingsOf(to.split('?')[0] ?? ''))
}

export type HealthConfig = z.output<typeof healthSettings>
export type PinsConfig = z.output<typeof healthPins>
export type UpstreamConfig = z.output<typeof upstream>
export type ProbeConfig = z.output<typeof probe>
export type Fallback = z.output<typeof fallback>

/** Returns a problem if a breaker is pinned whose upstream does not exist, otherwise null. */
export function pinProblem(
  pins: PinsConfig,
  upstreams: readonly UpstreamConfig[],
): { name: string; message: string } | null {
  const names = [ORIGIN, ...upstreams.map(({ name }) => name)]
  const name = Object.keys(pins.breakers).find(pinned => !names.includes(pinned))
  return name === undefined ? null : { name, message: `is no upstream: the upstreams are ${names.join(', ')}` }
}
