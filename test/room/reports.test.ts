import { afterAll, describe, expect, it, vi } from 'vitest'
import * as bodies from '../../src/admin/openapi/bodies/reports.ts'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env, newEdge, send } from '../support/workerd/visitor.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const T0 = Math.ceil(Date.now() / HOUR) * HOUR
const iso = (ms: number) => new Date(T0 + ms).toISOString()
const at = (ms: number) => vi.setSystemTime(T0 + ms)
const room = () => roomStub(env, 'wide')

let seq = 0
function sync(more: { spent: number; live: number; cells?: Record<string, number> }) {
  seq++
  return room().sync({ ...emptyReport('zz-0'), seq, base: seq - 1, ...more })
}

async function ask(path: string, headers: Record<string, string> = {}) {
  const Authorization = 'Bearer the-admin-token-of-the-test-rooms'
  const url = `https://admin.test/.waiting-room/api/v1/rooms/wide/${path}`
  const { status, text, response } = await send(newEdge(), new Request(url, { headers: { Authorization, ...headers } }))
  return { status, text, header: (name: string) => response.headers.get(name) ?? '' }
}

afterAll(() => {
  vi.useRealTimers()
})

describe('the reports of a room', () => {
  it('has one of an event that has ended, with its people and what operators did', async () => {
    at(0)
    await sync({ spent: 0, live: 0 })
    const times = { event_start_time: iso(10 * MINUTE), event_end_time: iso(20 * MINUTE) }
    await room().change({ set: { events: [{ name: 'sale', ...times }] } }, null, 'ana')
    at(12 * MINUTE)
    await sync({ spent: 3, live: 3, cells: { minted: 5, walked_in: 3, 'verdict/admitted/open': 3 } })
    await room().change({ set: { message: 'Nearly sold out.' } }, null, 'ben')
    at(19 * MINUTE)
    await sync({ spent: 7, live: 5, cells: { 'verdict/waiting/ahead': 40 } })
    expect(await room().reports()).toEqual([])
    at(20 * MINUTE)
    const id = `sale-${iso(20 * MINUTE)
      .slice(0, 16)
      .replace(/[-:]/g, '')}Z`
    const times2 = { fromMs: T0 + 10 * MINUTE, toMs: T0 + 20 * MINUTE, madeAtMs: T0 + 20 * MINUTE }
    expect(await room().reports()).toEqual([{ id, event: 'sale', admitted: 7, ...times2 }])
    const report = await room().report({ id })
    expect(report).toMatchObject({
      ...{ id, event: 'sale', room: 'wide', startMs: T0 + 10 * MINUTE, ...times2 },
      figures: { came: 8, admitted: 7, cost: { usage: { workerRequests: 43 } }, stepMs: MINUTE },
    })
    expect(report?.deeds).toEqual([
      {
        ...{ atMs: T0 + 12 * MINUTE, actor: 'ben', action: 'settings-set', subject: null },
        changed: [{ setting: 'message', before: '', after: 'Nearly sold out.' }],
      },
    ])
  })

  it('has the report of an event whose end the room slept through', async () => {
    const times = { event_start_time: iso(2 * HOUR), event_end_time: iso(3 * HOUR) }
    await room().change({ set: { events: [{ name: 'late', ...times }] } }, null, 'ana')
    at(2 * HOUR + MINUTE)
    await sync({ spent: 9, live: 2 })
    at(9 * HOUR)
    const reports = await room().reports()
    expect(reports.map(({ event, admitted }) => [event, admitted])).toEqual([
      ['late', 2],
      ['sale', 7],
    ])
  })

  it('can be made of any other time with the same figures, and are then not kept', async () => {
    const asked = { fromMs: T0 + 10 * MINUTE, toMs: T0 + 20 * MINUTE }
    const [byHand, kept] = [
      await room().report(asked),
      await room().report({ id: (await room().reports())[1]?.id ?? '' }),
    ]
    expect(byHand).toMatchObject({ id: null, event: null, figures: kept?.figures })
    expect(await room().reports()).toHaveLength(2)
    expect(await room().report({ id: 'nothing' })).toBeNull()
  })

  it('are answered as JSON, as a page or as CSV, by suffix, by parameter or by what the client accepts', async () => {
    const list = bodies.reportsBody.parse(JSON.parse((await ask('reports')).text)).reports
    const id = list[1]?.id
    expect(bodies.reportBody.parse(JSON.parse((await ask(`reports/${id}`)).text)).id).toBe(id)
    const types = async (path: string, Accept?: string) =>
      (await ask(path, Accept === undefined ? {} : { Accept })).header('Content-Type').split(';')[0]
    const [json, html, csv] = ['application/json', 'text/html', 'text/csv']
    expect(await types(`reports/${id}`)).toBe(json)
    expect(await types(`reports/${id}.html`, json)).toBe(html)
    expect(await types(`reports/${id}?format=csv`, html)).toBe(csv)
    expect(await types(`reports/${id}`, 'text/html,application/xhtml+xml,*/*;q=0.8')).toBe(html)
    expect(await types('reports/span.csv')).toBe(csv)
    expect(await types('reports/span')).toBe(json)
    const lines = (await ask(`reports/${id}.csv`)).text.trimEnd().split('\r\n')
    expect(lines[0]).toMatch(/^time,arrived,/)
    expect(lines).toHaveLength(3)
  })

  it('are a page in the time zone that is asked for, with nothing that could run or load', async () => {
    const event = JSON.parse((await ask('reports')).text).reports[1]
    const { text, header } = await ask(`reports/${event.id}.html?zone=Asia/Kolkata`)
    const time = (ms: number) =>
      new Date(ms).toLocaleTimeString('en-GB', { timeZone: 'Asia/Kolkata', hour: '2-digit', minute: '2-digit' })
    expect(text).toContain(`${time(event.fromMs)} to ${time(event.toMs)}. Times are those of Asia&#x2F;Kolkata.`)
    expect(text).toMatch(/<dt>Got in<\/dt><dd>7<\/dd>/)
    expect(text).toContain('message: none -&gt; Nearly sold out.')
    expect(text).not.toMatch(/<script|style=|src=|\{\{/)
    expect(header('Content-Security-Policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /)
  })

  it.each([
    ['reports/nothing', 404, 'There is no report nothing'],
    ['reports/nothing.pdf', 422, 'format must be json or html or csv, got pdf'],
    ['reports/span?from=yesterday', 422, 'from must be a time such as 2026-11-27T09:00:00Z, got yesterday'],
    ['reports/span?from=2026-01-02T00:00Z&to=2026-01-01T00:00Z', 422, 'from must be before to'],
    ['reports/span?from=2020-01-01T00:00Z', 422, 'from must be at most 367 days before to'],
    ['reports/span.html?zone=Mars/Base', 422, 'zone must be a time zone such as Europe/Madrid, got Mars/Base'],
  ])('refuse %s', async (path, status, words) => {
    const answer = await ask(path)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(words)
  })

  it('have what operators did before six hundred logins', async () => {
    at(9 * HOUR + MINUTE)
    await room().change({ set: { message: 'We open soon.' } }, null, 'ana')
    at(9 * HOUR + 2 * MINUTE)
    const login = { by: 'token', action: 'logged-in', subject: null, before: null, after: null } as const
    for (let i = 0; i < 600; i++) await room().record({ ...login, actor: 'ben', network: `10.${i >> 8}.${i & 255}/24` })
    const report = await room().report({ fromMs: T0 + 9 * HOUR, toMs: T0 + 9 * HOUR + 10 * MINUTE })
    expect(report?.deeds.map(({ actor, action }) => [actor, action])).toEqual([['ana', 'settings-set']])
  })

  it('are at most fifty, and the oldest is deleted first', async () => {
    const sales = Array.from({ length: 52 }, (_, nth) => ({
      name: `sale-${nth}`,
      event_start_time: iso(10 * HOUR + nth * 2 * MINUTE),
      event_end_time: iso(10 * HOUR + nth * 2 * MINUTE + MINUTE),
    }))
    await room().change({ set: { events: sales } }, null, 'ana')
    at(14 * HOUR)
    const reports = await room().reports()
    expect([reports.length, reports[0]?.event, reports.at(-1)?.event]).toEqual([50, 'sale-51', 'sale-2'])
  })
})
