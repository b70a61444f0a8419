import { afterEach, describe, expect, it } from 'vitest'
import { exposition } from '../../src/admin/metrics.ts'
import { VERSION } from '../../src/admin/version.ts'
import { doorStub, roomStub } from '../../src/settings/env.ts'
import { env, newEdge, send, settled, Visitor } from '../support/workerd/visitor.ts'

const TOKEN = 'the-admin-token-of-the-test-rooms'
const METRICS_TOKEN = 'reads-metrics-and-nothing-else-of-rooms'

interface Series {
  readonly family: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const ask = (path: string, token: string, bindings = env) =>
  send(
    newEdge(),
    new Request(`https://admin.test/.waiting-room${path}`, { headers: { Authorization: `Bearer ${token}` } }),
    bindings,
  )

/** Reads the text format as strictly as it is written: each family once, with its heading, and each series once. */
function read(text: string): Series[] {
  expect(text.endsWith('\n')).toBe(true)
  const series: Series[] = []
  const seen = new Set<string>()
  let family = ''
  let type = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z][a-z0-9_]*) [^\\]+$/.exec(line)
    if (help) {
      family = help[1] ?? ''
      expect(seen, line).not.toContain(family)
      seen.add(family)
      type = ''
      continue
    }
    const typed = /^# TYPE ([a-z][a-z0-9_]*) (gauge|counter)$/.exec(line)
    if (typed) {
      expect(typed[1]).toBe(family)
      type = typed[2] ?? ''
      expect(family.endsWith('_total'), line).toBe(type === 'counter')
      continue
    }
    const [, name, pairs = '', value] = /^([a-z][a-z0-9_]*)\{(.*)\} (\d+(?:\.\d+)?(?:e-\d+)?)$/.exec(line) ?? []
    expect(name, line).toBe(family)
    expect(type, line).not.toBe('')
    const labels: Record<string, string> = {}
    let rest = pairs
    while (rest !== '') {
      const [whole = '', label = '', quoted = ''] = /^([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest) ?? []
      expect(whole, line).not.toBe('')
      labels[label] = quoted.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
      rest = rest.slice(whole.length)
    }
    const id = `${family} ${JSON.stringify(Object.entries(labels).sort())}`
    expect(seen, line).not.toContain(id)
    seen.add(id)
    series.push({ family, labels, value: Number(value) })
  }
  return series
}

function figureOf(series: readonly Series[], family: string, labels: Record<string, string>): number | undefined {
  return series.find(
    one =>
      one.family === `antesala_${family}` &&
      Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value
}

afterEach(settled)

describe('the metrics of the rooms', () => {
  it('report the state of each room in the format of Prometheus', async () => {
    for (let i = 0; i < 3; i++) await new Visitor('wide.test', newEdge()).page()
    const { response, text, status } = await ask('/metrics', TOKEN)
    expect(status).toBe(200)
    expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    const series = read(text)
    expect(figureOf(series, 'room_up', { room: 'wide' })).toBe(1)
    expect(figureOf(series, 'places', { room: 'wide' })).toBe(1_000)
    expect(figureOf(series, 'held', { room: 'held' })).toBe(1)
    expect(figureOf(series, 'rate_per_minute', { room: 'held' })).toBe(0)
    expect(figureOf(series, 'waiting_visitors', { room: 'wide', lane: 'main' })).toBe(0)
    expect(figureOf(series, 'limit_decisions_total', { room: 'wide', policy: 'session', decision: 'limited' })).toBe(0)
    expect(figureOf(series, 'upstream_breaker', { room: 'wide', upstream: 'origin', state: 'closed' })).toBe(1)
    expect(figureOf(series, 'upstream_breaker', { room: 'wide', upstream: 'origin', state: 'open' })).toBe(0)
    expect(figureOf(series, 'remaining', { room: 'wide' })).toBeUndefined()
  })

  it('count the decisions of the gate, and the answers, by their reasons', async () => {
    const waiting = { room: 'held', verdict: 'waiting', why: 'held' }
    const edge = newEdge()
    // An edge reports its counts with the request after a second.
    const counted = async () => {
      await new Visitor('held.test', edge).page()
      return figureOf(read((await ask('/metrics', TOKEN)).text), 'verdicts_total', waiting)
    }
    await expect.poll(counted, { timeout: 30_000, interval: 500 }).toBeGreaterThan(3)
    const answered = { room: 'held', state: 'waiting', why: 'held' }
    expect(figureOf(read((await ask('/metrics', TOKEN)).text), 'answers_total', answered)).toBeGreaterThan(3)
    const inside = { room: 'wide', verdict: 'admitted', why: 'lease' }
    expect(figureOf(read((await ask('/metrics', TOKEN)).text), 'verdicts_total', inside)).toBeUndefined()
  })

  it('count events once the doors have reported them', async () => {
    // The door first reports the admissions of earlier tests.
    await doorStub(env, 'wide', 'xx-0').nudge()
    const before = figureOf(read((await ask('/metrics', TOKEN)).text), 'admitted_total', { room: 'wide' }) ?? 0
    const edge = newEdge()
    for (let i = 0; i < 4; i++) await new Visitor('wide.test', edge).page()
    await expect
      .poll(async () => figureOf(read((await ask('/metrics', TOKEN)).text), 'admitted_total', { room: 'wide' }), {
        timeout: 6_000,
        interval: 500,
      })
      .toBe(before + 4)
    expect(figureOf(read((await ask('/metrics', TOKEN)).text), 'active_sessions', { room: 'wide' })).toBeGreaterThan(3)
  })

  it('report the mode, the wait, those who gave up and the events', async () => {
    const sale = {
      name: 'sale',
      event_start_time: new Date(Date.now() + 3_600_000).toISOString(),
      event_end_time: new Date(Date.now() + 7_200_000).toISOString(),
    }
    await roomStub(env, 'wide').change({ set: { events: [sale] } }, null, 'test')
    const series = read((await ask('/metrics', TOKEN)).text)
    await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
    expect(figureOf(series, 'event_state', { room: 'wide', event: 'sale', state: 'upcoming' })).toBe(1)
    expect(figureOf(series, 'event_state', { room: 'wide', event: 'sale', state: 'active' })).toBe(0)
    expect(figureOf(series, 'mode', { room: 'wide', mode: 'enforce' })).toBe(1)
    expect(figureOf(series, 'wait_seconds', { room: 'wide', quantile: '0.5' })).toBe(0)
    expect(figureOf(series, 'abandoned_total', { room: 'wide', how: 'missed' })).toBe(0)
  })

  it('report a room that does not answer as down', async () => {
    const series = read(exposition([{ room: 'shop', figures: null }]))
    expect(series).toEqual([
      { family: 'antesala_build_info', labels: { version: VERSION }, value: 1 },
      { family: 'antesala_room_up', labels: { room: 'shop' }, value: 0 },
    ])
  })

  it('do not wait for a room that hangs', async () => {
    const ROOM: typeof env.ROOM = {
      getByName: (name, options) => {
        const room = env.ROOM.getByName(name, options)
        return name === 'held' ? { ...room, describe: () => new Promise<never>(() => undefined) } : room
      },
    }
    const series = read((await ask('/metrics', TOKEN, { ...env, ROOM })).text)
    expect(figureOf(series, 'room_up', { room: 'held' })).toBe(0)
    expect(figureOf(series, 'room_up', { room: 'wide' })).toBe(1)
  }, 15_000)

  it('escape special characters in labels', () => {
    const room = 'a "b" \\ c\nd,e="f"'
    expect(read(exposition([{ room, figures: null }])).at(-1)?.labels).toEqual({ room })
  })
})

describe('access to metrics', () => {
  it('is granted to the admin token, and to a token that reads nothing else', async () => {
    const bindings = { ...env, METRICS_TOKEN }
    expect((await ask('/metrics', METRICS_TOKEN, bindings)).status).toBe(200)
    expect((await ask('/metrics', TOKEN, bindings)).status).toBe(200)
    expect((await ask('/api/v1/rooms', METRICS_TOKEN, bindings)).status).toBe(401)
    expect((await ask('/metrics', METRICS_TOKEN, { ...env, ADMIN_TOKEN: '', METRICS_TOKEN })).status).toBe(200)
    expect((await ask('/metrics', METRICS_TOKEN)).status).toBe(401)
    expect((await ask('/metrics', '', { ...env, ADMIN_TOKEN: '' })).status).toBe(403)
  })

  it('is possible on the admin host only', async () => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const request = new Request('https://wide.test/.waiting-room/metrics', { headers })
    expect((await send(newEdge(), request)).status).toBe(404)
  })
})
