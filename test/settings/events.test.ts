import { describe, expect, it } from 'vitest'
import { adviceOn } from '../../src/settings/advice.ts'
import { compile } from '../../src/settings/compiled/room.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

const sale = {
  name: 'sale',
  prequeue_start_time: '2026-11-27T08:30:00Z',
  event_start_time: '2026-11-27T10:00:00+01:00',
  event_end_time: '2026-11-27T12:00:00Z',
}
const P = Date.parse('2026-11-27T08:30:00Z')
const S = Date.parse('2026-11-27T09:00:00Z')
const E = Date.parse('2026-11-27T12:00:00Z')

const shop = (events: unknown, more: object = {}) => [
  { name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60, events, ...more },
]
const room = (event: object, more: object = {}) => {
  const [config] = parseRooms(shop([{ ...sale, ...event }], more))
  if (!config) throw new Error('no room')
  return compile(config)
}

function problemsWith(events: unknown, more: object = {}): string[] {
  try {
    parseRooms(shop(events, more))
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

const at = 'rooms[0].events[0].'
const BAD: [name: string, events: unknown, message: string][] = [
  ['no list', sale, 'rooms[0].events must be a list of events, got {'],
  ['no start', [{ ...sale, event_start_time: undefined }], `${at}event_start_time is required`],
  [
    'a time without zone',
    [{ ...sale, event_start_time: '2026-11-27T09:00:00' }],
    `${at}event_start_time must be a time with zone like 2026-11-27T09:00:00Z or 2026-11-27T10:00:00+01:00, years 2000 to 2100, got "2026-11-27T09:00:00"`,
  ],
  ['30 February', [{ ...sale, event_start_time: '2026-02-30T09:00:00Z' }], `${at}event_start_time must be a time`],
  ['the year 20266', [{ ...sale, event_end_time: '20266-11-27T09:00:00Z' }], `${at}event_end_time must be a time`],
  [
    'an end before the start',
    [{ ...sale, event_end_time: '2026-11-27T09:00:00Z' }],
    `${at}event_end_time must be 1 minute to 366 days after event_start_time, got "2026-11-27T09:00:00Z"`,
  ],
  [
    'a prequeue of four minutes',
    [{ ...sale, prequeue_start_time: '2026-11-27T08:56:00Z' }],
    `${at}prequeue_start_time must be 5 minutes to 24 hours before event_start_time, got "2026-11-27T08:56:00Z"`,
  ],
  [
    'a draw without visitors',
    [{ ...sale, prequeue_start_time: null, shuffle_at_event_start: true }],
    `${at}shuffle_at_event_start must be false without prequeue_start_time`,
  ],
  [
    'a rate without a total',
    [{ ...sale, new_users_per_minute: 5 }],
    `${at}total_active_users must be set where new_users_per_minute is`,
  ],
  [
    'a rate below zero',
    [{ ...sale, new_users_per_minute: -1, total_active_users: 1 }],
    `${at}new_users_per_minute must be a whole number, 0 to 1,000,000, got -1`,
  ],
  [
    'overlapping events',
    [
      sale,
      {
        ...sale,
        name: 'late',
        prequeue_start_time: '2026-11-27T11:59:59Z',
        event_start_time: '2026-11-27T12:30:00Z',
        event_end_time: '2026-11-27T13:00:00Z',
      },
    ],
    'rooms[0].events[1].prequeue_start_time must not be before the end of "sale" (2026-11-27T12:00:00Z): events do not overlap, got "2026-11-27T11:59:59Z"',
  ],
  [
    'one name twice',
    [sale, { ...sale, suspended: true }],
    'rooms[0].events[1].name must be unique, "sale" is events[0] already',
  ],
  [
    'a name for no address',
    [{ ...sale, name: 'a sale' }],
    `${at}name must be 1 to 64 letters, digits, - or _, got "a sale"`,
  ],
  ['too many', Array.from({ length: 101 }, () => sale), 'rooms[0].events must have at most 100 events'],
  ['an unknown setting', [{ ...sale, colour: 'red' }], `${at}colour is not a setting`],
]

describe('events', () => {
  it.each(BAD)('are refused with %s', (_, events, message) => {
    expect(
      problemsWith(events).some(problem => problem.startsWith(message)),
      problemsWith(events).join('\n'),
    ).toBe(true)
  })

  it('may follow one another without a gap, and may overlap a suspended one', () => {
    const next = { ...sale, name: 'next', prequeue_start_time: '2026-11-27T12:00:00Z' }
    const times = { event_start_time: '2026-11-27T12:30:00Z', event_end_time: '2026-11-27T13:00:00Z' }
    expect(problemsWith([sale, { ...next, ...times }])).toEqual([])
    expect(problemsWith([sale, { ...sale, name: 'other', suspended: true }])).toEqual([])
  })

  it('cannot have sessions longer than the room allows', () => {
    const problems = problemsWith([{ ...sale, session_duration: 20 }], { max_session_duration: 10 })
    expect(problems).toEqual([
      "rooms[0].events[0].session_duration must be at most the room's max_session_duration (10), got 20",
    ])
  })
})

describe('the settings in force', () => {
  const limits = { total_active_users: 7, new_users_per_minute: 700, session_duration: 1, message: 'Sale!' }

  it('are those of the event from the exact millisecond of its start to that of its end', () => {
    const settings = room(limits)
    const rates = [P - 1, P, S - 1, S, E - 1, E].map(ms => settings.at(ms).admission.ratePerMinute)
    expect(rates).toEqual([60, 60, 60, 700, 700, 60])
    expect(settings.at(S).admission.totalActiveUsers).toBe(7)
    expect(settings.at(S).session.sessionMs).toBe(60_000)
    expect(settings.turnsBetween(P - 1, S)).toEqual([P, S])
    expect(settings.turnsBetween(P, S - 1)).toEqual([])
    expect(settings.turnsBetween(S, E)).toEqual([E])
  })

  it('have the message of the event from its prequeue on, and newcomers wait until its start', () => {
    const settings = room(limits, { queueing_method: 'passthrough', message: 'Hello.' })
    const told = [P - 1, P, S, E].map(ms => [settings.at(ms).config.message, settings.at(ms).step.newcomers])
    expect(told).toEqual([
      ['Hello.', 'pass through'],
      ['Sale!', 'wait'],
      ['Sale!', 'pass through'],
      ['Hello.', 'pass through'],
    ])
    expect(settings.at(P).event).toMatchObject({ name: 'sale', isPrequeue: true, startMs: S })
    expect(settings.at(S).event).toMatchObject({ name: 'sale', isPrequeue: false })
    expect(settings.at(E).event).toBeNull()
  })

  it('are those of the room where the event sets nothing, and where it is suspended', () => {
    expect(room({}).at(S).admission).toMatchObject({ ratePerMinute: 60, totalActiveUsers: 100 })
    expect(room({ ...limits, suspended: true }).at(S).admission.ratePerMinute).toBe(60)
  })

  it('stay at a rate of zero with queue_all, whatever the event sets', () => {
    expect(room(limits, { queue_all: true }).at(S).admission.ratePerMinute).toBe(0)
  })

  it('are found in any order of time, and are one fixed object where no event is scheduled', () => {
    const settings = room(limits)
    expect([E, P, S, 1].map(ms => settings.at(ms).admission.ratePerMinute)).toEqual([60, 60, 700, 60])
    const [plain] = parseRooms(shop([]))
    if (!plain) throw new Error('no room')
    const compiled = compile(plain)
    expect(compiled.at(S)).toBe(compiled)
  })
})

describe('advice', () => {
  it('names events that are over, far away, or already on', () => {
    const advice = (nowMs: number) => adviceOn(parseRooms(shop([sale])), nowMs).filter(line => line.includes('sale'))
    expect(advice(E)).toEqual([
      'rooms[0] (shop): events[0] (sale) has been over since 2026-11-27T12:00:00Z: it does nothing now',
    ])
    expect(advice(S - 400 * 86_400_000)).toEqual(['rooms[0] (shop): events[0] (sale) is more than a year away'])
    expect(advice(P + 1)[0]).toContain('its prequeue is on already')
    expect(advice(P - 1)).toEqual([])
  })
})
