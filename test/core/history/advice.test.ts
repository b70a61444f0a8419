import { describe, expect, it } from 'vitest'
import { adviceFor, type Situation } from '../../../src/core/history/advice.ts'
import { unpacked } from '../../../src/core/history/history.ts'

const MINUTE = 60_000
const moving = (growsPerMinute: number, likelyMs: number | null) => ({
  ...{ kind: 'moves' as const, emptyInMs: null, growsPerMinute, soldOutInMs: null },
  wait: likelyMs === null ? null : { lowMs: likelyMs, likelyMs, highMs: likelyMs },
})
const lately = (more: object) => ({
  ...unpacked(0, {}),
  ...{ admitted: 1_200, confirmed: 2_000, called: 1_500, samples: 100 },
  ...more,
})

/** A room with a line that shrinks. Its rate is used, and its origin has hardly been measured. */
const CALM: Situation = {
  forecast: moving(-20, 5 * MINUTE),
  lately: lately({}),
  minutes: 10,
  ...{ waiting: 300, inside: 500, showRate: 0.8, remaining: null, rate: 120, places: 1_000, sessionMinutes: 15 },
  health: { mode: 'enforce', state: 'well', ceiling: null, there: 400 },
}

const rules = (more: Partial<Situation>) => adviceFor({ ...CALM, ...more }).map(({ rule }) => rule)

describe('advice', () => {
  it('is not given where all is well, nor where the line stands still', () => {
    expect(rules({})).toEqual([])
    const growing = { waiting: 10_000, forecast: { kind: 'stopped' as const, why: 'outage' as const } }
    expect(rules(growing)).toEqual([])
  })

  const full = { inside: 960, health: { ...CALM.health, there: 700 } }
  const answers = lately({ samples: 4_000, apdex: 0.97 })
  it.each<[rule: string, applies: Partial<Situation>, notWith: Partial<Situation>]>([
    ['sold-out-near', { remaining: 200 }, { remaining: 240 }],
    ['sessions-long', { ...full, health: { ...CALM.health, there: 470 } }, full],
    ['rate-unused', { lately: lately({ admitted: 900 }) }, { lately: lately({ admitted: 900 }), minutes: 4 }],
    ['no-shows', { showRate: 0.4 }, { showRate: 0.4, lately: lately({ called: 40 }) }],
    ['origin-has-room', { lately: answers }, { lately: answers, health: { ...CALM.health, ceiling: 900 } }],
    ['line-grows', { forecast: moving(40, 20 * MINUTE) }, { forecast: moving(40, 5 * MINUTE) }],
  ])('follows the rule %s where its figures apply, and only there', (rule, applies, notWith) => {
    expect(rules(applies)).toEqual([rule])
    expect(rules(notWith)).toEqual([])
  })

  it.each<[what: string, more: Partial<Situation>]>([
    ['few wait', { waiting: 10, lately: lately({ samples: 4_000, apdex: 0.97, admitted: 10 }) }],
    [
      'places hold the line back, and not the rate',
      { inside: 990, health: { ...CALM.health, there: 800 }, lately: lately({ admitted: 900 }) },
    ],
    ['origin health is off', { ...full, health: { ...CALM.health, mode: 'off', there: 0 } }],
    ['the origin is slowed', { lately: answers, health: { ...CALM.health, state: 'slowed' } }],
    ['the line grows by a few people', { forecast: moving(3, 20 * MINUTE) }],
    [
      'one minute of ten had more newcomers by chance',
      { forecast: moving(40, 20 * MINUTE), lately: lately({ confirmed: 1_500 }) },
    ],
  ])('is not given where %s', (_what, more) => {
    expect(rules(more)).toEqual([])
  })

  it('names the limit that holds the line back, and suggests a tenth more', () => {
    expect(adviceFor({ ...CALM, lately: answers })).toEqual([
      { rule: 'origin-has-room', apdex: 0.97, samples: 4_000, limit: 'new_users_per_minute', to: 132 },
    ])
    expect(adviceFor({ ...CALM, ...full, lately: answers })).toMatchObject([{ limit: 'total_active_users', to: 1_100 }])
  })

  it('has the most urgent piece first', () => {
    expect(rules({ remaining: 10, forecast: moving(40, null), lately: answers })).toEqual([
      ...['sold-out-near', 'origin-has-room', 'line-grows'],
    ])
  })
})
