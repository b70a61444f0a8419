/** The question of the dashboard before a change that affects many visitors. */
import { describe, expect, it } from 'vitest'

interface Question {
  readonly title: string
  readonly texts: readonly string[]
  readonly yes: string
  readonly isDanger: boolean
}

const path: string = '../../static/admin/danger.js'
const { questionFor } = (await import(path)) as {
  readonly questionFor: (room: object, request: object) => Question | null
}

const SETTINGS = {
  new_users_per_minute: 120,
  total_active_users: 1_000,
  queue_all: false,
  suspended: false,
  queueing_method: 'fifo',
  mode: 'enforce',
  invite_only: false,
  remaining: null,
}
const FIGURES = {
  cameLastMinute: 640,
  active: 612,
  waiting: 1_204,
  permitsOut: 8,
  totalActiveUsers: 1_000,
  effectiveRatePerMinute: 120,
}

function room(more: object = {}) {
  const base = { name: 'shop', settings: SETTINGS, file: SETTINGS, sources: {}, figures: FIGURES, events: [] }
  return { ...base, ...more }
}

function asked(set: object, more: object = {}) {
  const question = questionFor(room(more), { set })
  return question && `${question.isDanger ? 'red' : 'plain'}: ${question.title} ${question.texts.join(' ')}`
}

describe('the question before a change', () => {
  it.each([
    ['a step of the rate', { new_users_per_minute: 599 }],
    ['more places', { total_active_users: 4_999 }],
    ['a message', { message: 'Soon.' }],
    ['the end of a hold', { queue_all: false }],
    ['a setting that has the value already', { queueing_method: 'fifo', suspended: false }],
  ])('is not asked for %s', (_, set) => {
    expect(asked(set)).toBeNull()
  })

  it.each([
    ['a rate of 0', { new_users_per_minute: 0 }, /^red: Set the rate to 0\? .*1,204 wait.*612 inside stay/],
    [
      'five times the rate',
      { new_users_per_minute: 600 },
      /^red: Let in 600 a minute\? .*from 120 to 600 a minute, 5 times as many, and 1,204 wait\. 380 places are free: with a line they are full in 38 s\.$/,
    ],
    [
      'five times the places',
      { total_active_users: 5_000 },
      /^red: Allow 5,000 inside\? .*up to 4,388 more can be inside/,
    ],
    [
      'a suspended room',
      { suspended: true },
      /^red: Suspend shop\? .*1,204 waiting now\. 612 of 1,000 places are taken/,
    ],
    ['passthrough', { queueing_method: 'passthrough' }, /^red: Let everyone pass .*1,204 waiting now/],
    [
      'reject',
      { queueing_method: 'reject' },
      /^red: Reject newcomers .*640 came in the last minute. At most 120 a minute may go in\. The 1,204 waiting/,
    ],
    ['observe', { mode: 'observe' }, /^red: Only observe shop\? .*without any limit.*1,204/],
    ['an empty budget', { remaining: 0 }, /^red: Let no one in any more\? .*1,204 wait\. .*8 at most/],
    ['invitations only', { invite_only: true }, /^red: Let in invited visitors only\? .*1,204 waiting now keep/],
    ['a hold', { queue_all: true }, /^plain: Hold the line\? .*612 inside stay.*1,204/],
  ])('has the numbers of %s', (_, set, words) => {
    expect(asked(set)).toMatch(words)
  })

  it('has each effect of a change of several settings', () => {
    const question = questionFor(room(), { set: { suspended: true, new_users_per_minute: 0 } })
    expect(question).toMatchObject({ title: 'Change shop?', yes: 'Make all changes', isDanger: true })
    expect(question?.texts).toHaveLength(2)
  })

  it('is asked for a reset, where the file has a dangerous value', () => {
    const suspended = room({ file: { ...SETTINGS, suspended: true }, sources: { suspended: 'live' } })
    expect(questionFor(suspended, { reset: ['suspended'] })?.title).toBe('Suspend shop?')
    expect(questionFor(suspended, { reset: 'all' })?.title).toBe('Suspend shop?')
    expect(questionFor(suspended, { reset: ['message'] })).toBeNull()
  })

  it('has the numbers of visitors who wait for an event that is taken away or moved', () => {
    const [start, later] = ['2026-12-04T09:00:00Z', '2026-12-04T11:00:00Z']
    const event = { name: 'sale', state: 'prequeueing', startsAt: start, draw: { entries: 812 } }
    const set = { name: 'sale', event_start_time: start, shuffle_at_event_start: true, suspended: false }
    const own = { new_users_per_minute: null, queueing_method: null }
    const from = (state: object) => ({ events: [{ ...event, ...state }], settings: { ...SETTINGS, events: [set] } })
    expect(asked({ events: [] }, from({}))).toMatch(/^red: Remove sale\? 812 visitors wait for the draw/)
    expect(asked({ events: [{ ...set, suspended: true }] }, from({ draw: null }))).toMatch(
      /^red: Suspend sale\? .*1,204 in all/,
    )
    expect(asked({ events: [{ ...set, ...own, shuffle_at_event_start: false }] }, from({}))).toMatch(
      /^red: Call off the draw of sale\? 812/,
    )
    expect(asked({ events: [{ ...set, ...own, event_start_time: later }] }, from({}))).toMatch(
      /^plain: Move the start of sale\? .*812 have an entry/,
    )
    expect(asked({ events: [set] }, from({}))).toBeNull()
    expect(asked({ events: [] }, from({ state: 'upcoming' }))).toMatch(
      /^plain: Remove sale\? .*No one waits for it yet/,
    )
    expect(asked({ events: [] }, from({ state: 'active' }))).toMatch(/^red: End sale\? sale is on.*612 are inside/)
    expect(asked({ events: [] }, from({ state: 'over' }))).toBeNull()
  })

  it.each([
    [{ new_users_per_minute: 600 }, /600 a minute are let in, 5 times as many as the 120 of the room/],
    [{ new_users_per_minute: 0 }, /no one is let in/],
    [{ queueing_method: 'passthrough' }, /without any limit/],
    [{ queueing_method: 'reject' }, /is rejected/],
  ])('is asked in red for an event with %j', (own, words) => {
    const planned = { name: 'sale', event_start_time: '2026-12-04T09:00:00Z', suspended: false }
    const event = { ...planned, new_users_per_minute: null, queueing_method: null, ...own }
    expect(asked({ events: [event] }, { settings: { ...SETTINGS, events: [] } })).toMatch(/^red: Plan sale like this\?/)
    expect(asked({ events: [event] }, { settings: { ...SETTINGS, events: [] } })).toMatch(words)
  })
})
