/** The bodies of answers about the origin's health, the forecast and advice. */
import * as z from 'zod'
import type { Advice } from '../../../core/history/advice.ts'
import type { Decision } from '../../../core/history/decisions.ts'
import type { Forecast } from '../../../core/history/forecast.ts'
import type { HealthFigures, HealthReport, UpstreamFigures } from '../../../core/protocol/health.ts'
import { countOf, momentOf, ratioOf, textOf } from './parts.ts'

/** The action that a decision of health took. */
export const didBody: z.ZodType<Decision['did']> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal(['ceiling-lowered', 'ceiling-rising']), from: z.number(), to: z.number() }),
  z.strictObject({ kind: z.literal(['ceiling-lifted', 'breaker-half-open', 'breaker-closed']) }),
  z.strictObject({ kind: z.literal('breaker-open'), untilMs: momentOf('The next trial') }),
  z.strictObject({ kind: z.literal('feature-broken'), patterns: z.array(z.string()) }),
])

const decision: z.ZodType<Decision> = z.strictObject({
  atMs: momentOf('When'),
  upstream: textOf('The upstream; `origin` is everything else'),
  did: didBody,
  saw: z
    .strictObject({
      sessions: z.number().nullable(),
      apdex: ratioOf('The mean satisfaction of the sessions that voted'),
      failures: ratioOf('The share of them whose requests failed'),
      inside: countOf('Sessions that had a place'),
      there: z.exactOptional(countOf('Those of them who were there')),
    })
    .nullable()
    .meta({ description: 'Null where time alone decided' }),
  enforced: z.boolean().meta({ description: 'False in shadow mode, where nothing is done' }),
})

const answers = {
  samples: countOf('Answers'),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  apdex: ratioOf('Apdex').nullable(),
  failures: ratioOf('The share of failures').nullable(),
}

const upstream: z.ZodType<UpstreamFigures> = z.strictObject({
  name: textOf('The upstream; `origin` is everything else'),
  critical: z.boolean(),
  breaker: z.literal(['closed', 'open', 'half-open']).meta({ description: 'In force' }),
  back: ratioOf('After an outage, the share of sessions whose requests go there again').nullable(),
  pinned: z.boolean().meta({ description: 'Whether an operator has set the breaker' }),
  sinceMs: momentOf('Since when the breaker is so').nullable(),
  untilMs: momentOf('The next trial').nullable(),
  ...answers,
})

export const healthFiguresBody: z.ZodType<HealthFigures> = z.strictObject({
  mode: z.literal(['enforce', 'shadow', 'off']),
  state: z.literal(['well', 'slowed', 'down']),
  sinceMs: momentOf('Since when; null for a state that an operator has set').nullable(),
  ends: z.literal(['trial', 'good-answers', 'operator']).nullable().meta({ description: 'The end of this state' }),
  nextTrialMs: momentOf('The next trial').nullable(),
  raisedFromMs: momentOf('The earliest time at which the ceiling may rise').nullable(),
  reason: z.literal(['outage', 'slow']).nullable(),
  ceiling: z.number().nullable().meta({ description: 'Sessions that the origin can bear, as far as is known' }),
  there: countOf('Sessions that were seen, or admitted, in the last minute'),
  inside: ratioOf('The share of sessions whose requests go to the origin'),
  ratePerMinute: z.number().meta({ description: 'In force' }),
  totalActiveUsers: z.number().meta({ description: 'In force' }),
  pins: z.array(z.string()).meta({ description: 'Limits and breakers that operators have set by hand' }),
  upstreams: z.array(upstream),
})

export const healthBody: z.ZodType<HealthReport> = z.strictObject({
  health: healthFiguresBody,
  decisions: z.array(decision).meta({ description: 'The last 200 of at most 10,000 in 30 days, newest first' }),
  history: z
    .array(z.strictObject({ atMs: momentOf('The minute'), upstreams: z.record(z.string(), z.strictObject(answers)) }))
    .meta({ description: 'By minute, oldest first' }),
})

export const forecastBody: z.ZodType<Forecast> = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('stopped'),
      why: z.literal(['outage', 'held', 'before-start', 'sold-out', 'rate-0']),
    }),
    z.strictObject({
      kind: z.literal('moves'),
      emptyInMs: z.number().nullable().meta({ description: 'Null if not within a day; 0 if no line forms' }),
      growsPerMinute: z.number().meta({ description: 'Negative while the line becomes shorter' }),
      wait: z
        .strictObject({ lowMs: z.number(), likelyMs: z.number(), highMs: z.number() })
        .nullable()
        .meta({ description: 'The wait of a newcomer; null if longer than a day' }),
      soldOutInMs: z.number().nullable().meta({ description: 'When the budget is used up' }),
    }),
  ])
  .meta({ description: 'How the line goes on' })

export const adviceBody: z.ZodType<Advice> = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('sold-out-near'), remaining: z.number(), waiting: z.number() }),
  z.strictObject({ rule: z.literal('sessions-long'), there: z.number(), inside: z.number(), minutes: z.number() }),
  z.strictObject({ rule: z.literal('rate-unused'), perMinute: z.number(), rate: z.number(), showRate: z.number() }),
  z.strictObject({ rule: z.literal('no-shows'), showRate: z.number() }),
  z.strictObject({
    ...{ rule: z.literal('origin-has-room'), apdex: z.number(), samples: z.number(), to: z.number() },
    limit: z.literal(['new_users_per_minute', 'total_active_users']),
  }),
  z.strictObject({ rule: z.literal('line-grows'), growsPerMinute: z.number(), waitMs: z.number() }),
])
