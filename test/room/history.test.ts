import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env, newEdge, send } from '../support/workerd/visitor.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Ten minutes before a full hour. */
const T0 = Math.ceil(Date.now() / HOUR) * HOUR - 10 * MINUTE
const TOKEN = 'the-admin-token-of-the-test-rooms'

const room = () => roomStub(env, 'wide')
const stub = () => room() as unknown as DurableObjectStub
const at = (ms: number) => vi.setSystemTime(T0 + ms)
const rowsOf = (what: string) =>
  runInDurableObject(stub(), (_room, { storage }) =>
    storage.sql.exec('SELECT nth, figures FROM history WHERE step = ? ORDER BY nth', what).toArray(),
  )
const history = (toMs: number, stepMs: number) => room().history({ fromMs: T0, toMs: T0 + toMs, stepMs })

let seq = 0
function sync(more: { spent: number; live: number; cells?: Record<string, number> }) {
  seq++
  return room().sync({ ...emptyReport('zz-0'), seq, base: seq - 1, ...more })
}

async function ask(query: string, what = 'history') {
  const headers = { Authorization: `Bearer ${TOKEN}` }
  const request = new Request(`https://admin.test/.waiting-room/api/v1/rooms/wide/${what}${query}`, { headers })
  const { status, text, response } = await send(newEdge(), request)
  return { status, text, type: response.headers.get('Content-Type') ?? '' }
}

afterAll(() => {
  vi.useRealTimers()
})

describe('the history of a room', () => {
  it('counts each minute in full, whatever is evicted, and leaves out minutes in which the room slept', async () => {
    at(0)
    await sync({ spent: 0, live: 0 })
    at(20_000)
    await sync({ spent: 3, live: 3, cells: { minted: 4, walked_in: 3, 'limit/session/limited': 2 } })
    await evictDurableObject(stub())
    at(40_000)
    await sync({ spent: 5, live: 4, cells: { left: 1 } })
    await evictDurableObject(stub())
    at(3 * MINUTE)
    await sync({ spent: 6, live: 5 })
    const { steps } = await history(4 * MINUTE, MINUTE)
    expect(steps).toHaveLength(2)
    expect(steps[0]).toMatchObject({ atMs: T0, arrived: 7, admitted: 5, left: 1, limited: 2, inside: 4 })
    expect(steps[0]).toMatchObject({ totalActiveUsers: 1_000, waitMs: 0, samples: 0, p95Ms: null })
    // The last minute is not over yet.
    expect(steps[1]).toMatchObject({ atMs: T0 + 3 * MINUTE, admitted: 1, inside: 5 })
    expect(await rowsOf('minute')).toHaveLength(1)
  })

  it('writes one short row a minute, and one more at the end of an hour', async () => {
    at(9 * MINUTE)
    await sync({ spent: 7, live: 5 })
    at(11 * MINUTE)
    await sync({ spent: 9, live: 6 })
    const [minutes, hours] = [await rowsOf('minute'), await rowsOf('hour')]
    expect([minutes.length, hours.length]).toEqual([3, 1])
    expect(Math.max(...minutes.map(({ figures }) => String(figures).length))).toBeLessThan(300)
    expect(JSON.parse(String(hours[0]?.figures))).toMatchObject({ arrived: 7, admitted: 7, inside: 5 })
    const { steps } = await room().history({ fromMs: T0 - HOUR, toMs: T0 + HOUR, stepMs: HOUR })
    expect(steps.map(({ admitted, inside }) => [admitted, inside])).toEqual([
      [7, 5],
      [2, 6],
    ])
  })

  it('keeps minutes for 30 days, and hours for a year', async () => {
    at(31 * 24 * HOUR)
    await sync({ spent: 10, live: 1 })
    at(31 * 24 * HOUR + MINUTE)
    await sync({ spent: 11, live: 1 })
    // Only the minute that has just ended is left.
    expect(await rowsOf('minute')).toHaveLength(1)
    expect(await rowsOf('hour')).toHaveLength(2)
    at(400 * 24 * HOUR)
    await sync({ spent: 12, live: 1 })
    at(401 * 24 * HOUR)
    await sync({ spent: 12, live: 1 })
    // The other hours are more than a year old, so they were deleted.
    expect(await rowsOf('hour')).toHaveLength(1)
  })

  it('marks live changes, and the starts and ends of events', async () => {
    const iso = (ms: number) => new Date(T0 + ms).toISOString()
    at(401 * 24 * HOUR)
    const begin = 401 * 24 * HOUR + MINUTE
    const sale = { name: 'sale', event_start_time: iso(begin), event_end_time: iso(begin + MINUTE) }
    await room().change({ set: { events: [sale] } }, null, 'ana')
    const { markers } = await room().history({ fromMs: T0 + begin - HOUR, toMs: T0 + begin + HOUR, stepMs: MINUTE })
    expect(markers).toMatchObject([
      { kind: 'change', actor: 'ana', request: { set: { events: [{ name: 'sale' }] } } },
      { kind: 'event', turn: 'event-begun', name: 'sale', atMs: T0 + begin },
      { kind: 'event', turn: 'event-ended', name: 'sale' },
    ])
    await room().change({ reset: 'all' }, null, 'ana')
  })

  it('is answered as JSON and as CSV, with a step that fits the time', async () => {
    at(401 * 24 * HOUR + 5 * MINUTE)
    const json = await ask('')
    expect([json.status, json.type]).toEqual([200, 'application/json'])
    expect(JSON.parse(json.text).steps.at(-1)).toMatchObject({ inside: 1, admitted: 0 })
    const csv = await ask(`?format=csv&from=${new Date(T0 + 400 * 24 * HOUR).toISOString()}`)
    expect([csv.status, csv.type]).toEqual([200, 'text/csv; charset=utf-8'])
    const [names, ...lines] = csv.text.trimEnd().split('\r\n')
    expect(names).toMatch(/^time,arrived,confirmed,.*,origin_apdex,decided,challenged,solved,wrong$/)
    expect(lines.at(-1)?.split(',')).toHaveLength(names?.split(',').length ?? 0)
  })

  it('gives a forecast for the limits in force, and for others', async () => {
    at(402 * 24 * HOUR)
    await sync({ spent: 12, live: 1 })
    at(402 * 24 * HOUR + 5 * MINUTE)
    await sync({ spent: 22, live: 1, cells: { walked_in: 10 } })
    expect((await room().describe()).figures.forecast).toMatchObject({ kind: 'moves', emptyInMs: 0 })
    // Ten people have come within the last minute.
    expect(await room().forecast({ ratePerMinute: 1 })).toMatchObject({ emptyInMs: null, growsPerMinute: 9 })
    const stopped = await ask('?new_users_per_minute=0', 'forecast')
    expect([stopped.status, JSON.parse(stopped.text)]).toEqual([200, { kind: 'stopped', why: 'rate-0' }])
    const refused = await ask('?total_active_users=0&new_users_per_minute=many', 'forecast')
    expect(JSON.parse(refused.text).problems).toEqual([
      { path: 'new_users_per_minute', message: 'must be a number, 0 to 1,000,000, got many' },
      { path: 'total_active_users', message: 'must be a number, 1 to 10,000,000, got 0' },
    ])
  })

  it('foresees the line by the newcomers of the last minute, and forgets a burst that is over', async () => {
    const begin = 403 * 24 * HOUR
    at(begin)
    await sync({ spent: 22, live: 1 })
    at(begin + 10_000)
    await sync({ spent: 22, live: 1, cells: { confirmed: 300 } })
    const now = async () => (await room().describe()).figures
    const during = await now()
    expect(during).toMatchObject({ cameLastMinute: 300, admittedLastMinute: 0 })
    await evictDurableObject(stub())
    expect((await now()).cameLastMinute).toBe(300)
    at(begin + 75_000)
    await sync({ spent: 22, live: 1 })
    const after = await now()
    expect(after.cameLastMinute).toBe(0)
    expect(after.forecast).toMatchObject({ kind: 'moves', emptyInMs: 0 })
    expect((await room().forecast({ ratePerMinute: 1 })).kind).toBe('moves')
  })

  it.each([
    ['?from=yesterday', 'from must be a time such as 2026-11-27T09:00:00Z, got yesterday'],
    ['?from=2030-01-01T00:00Z&to=2029-01-01T00:00Z', 'from must be before to'],
    ['?step=0', 'step must be a whole number of minutes, 1 to 1440, got 0'],
    ['?step=1&from=2020-01-01T00:00Z', 'step must be a multiple of 60, got 1: minutes are kept for 30 days'],
    ['?step=60&from=2020-01-01T00:00Z', /^step must be longer: this would be \d+ steps, and 2000 is the most$/],
    ['?format=xml', 'format must be json or csv, got xml'],
  ])('is refused for %s', async (query, detail) => {
    const { status, text } = await ask(query)
    expect(status).toBe(422)
    expect(JSON.parse(text).detail).toEqual(typeof detail === 'string' ? detail : expect.stringMatching(detail))
  })
})
