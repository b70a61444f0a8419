import { describe, expect, it } from 'vitest'
import { parseRooms } from '../../src/settings/rooms.ts'
import { Tally } from '../../tools/crowd/tally.ts'
import { noFaults, setFaults } from '../../tools/demo/faults.ts'
import { columnOf, lastThirdOver, longestOutage, type Played, recovery } from '../../tools/scenarios/column.ts'
import { lasting } from '../../tools/scenarios/scenario.ts'
import { SCENARIOS } from '../../tools/scenarios/stories.ts'
import { promisesOf, tableOf } from '../../tools/scenarios/words.ts'

interface Second {
  readonly came?: number
  readonly failed?: number
  readonly tookMs?: number
}

/** A run in which each second some pages came and some failed. */
function pagesOf(seconds: number, at: (second: number) => Second) {
  return Array.from({ length: seconds }, (_, second) => {
    const { came = 10, failed = 0, tookMs = 100 } = at(second)
    return Array.from({ length: came + failed }, (_, n) => ({
      atMs: second * 1_000 + n,
      tookMs,
      what: '/',
      status: n < came ? 200 : 503,
      isOrigin: true,
    }))
  }).flat()
}

describe('the longest outage', () => {
  it('is zero while most pages come', () => {
    expect(
      longestOutage(
        pagesOf(60, () => ({ came: 6, failed: 4 })),
        60_000,
      ),
    ).toBe(0)
  })

  it('is the time in which more pages fail than come', () => {
    const pages = pagesOf(60, second => (second >= 20 && second < 40 ? { came: 0, failed: 10 } : {}))
    expect(longestOutage(pages, 60_000)).toBeGreaterThanOrEqual(19)
    expect(longestOutage(pages, 60_000)).toBeLessThanOrEqual(21)
  })
})

describe('a soak', () => {
  it('compares the last third of the run with the second, and leaves out the first', () => {
    const samples = Array.from({ length: 90 }, (_, second) => ({
      atMs: second * 1_000,
      value: second < 30 ? 1 : second < 60 ? 100 : 120,
    }))
    expect(lastThirdOver(samples, 90_000, 0.5)).toBe(1.2)
    expect(lastThirdOver([], 90_000, 0.5)).toBeNull()
  })

  it('of another length has the same visitors a second, while an incident has the same visitors in all', () => {
    const steady = SCENARIOS.find(({ isSteady }) => isSteady)
    const incident = SCENARIOS.find(({ isSteady }) => !isSteady)
    if (!steady || !incident) throw new Error('there must be both')
    const hour = lasting(steady, 3_600)
    expect(hour.seconds).toBe(3_600)
    const perSecond = ({ crowd }: typeof hour) => crowd.visitors / (crowd.arriveMs ?? 0)
    expect(perSecond(hour)).toBeCloseTo(perSecond(steady), 6)
    expect(lasting(incident, 3_600)).toEqual({ ...incident, seconds: 3_600 })
  })
})

describe('a site that was in trouble', () => {
  const recovered = (seconds: number, at: (second: number) => Second) =>
    recovery(pagesOf(seconds, at), 10_000, seconds * 1_000, 600)

  it('is healthy at once when nothing happens to it', () => {
    expect(recovered(120, () => ({}))).toEqual({ healthyAfterSeconds: 0, relapsedShare: 0 })
  })

  it('is healthy from its last slow page on, if a healthy minute follows', () => {
    const { healthyAfterSeconds, relapsedShare } = recovered(200, second =>
      second >= 10 && second < 30 ? { tookMs: 3_000 } : {},
    )
    expect(healthyAfterSeconds).toBeGreaterThanOrEqual(19)
    expect(healthyAfterSeconds).toBeLessThanOrEqual(21)
    expect(relapsedShare).toBe(0)
  })

  it('does not count half a minute between two outages as a recovery', () => {
    const { healthyAfterSeconds } = recovered(200, second =>
      second < 30 || (second >= 60 && second < 80) ? { failed: 5 } : {},
    )
    expect(healthyAfterSeconds).toBeGreaterThanOrEqual(68)
  })

  it('may relapse, which is reported separately', () => {
    const { healthyAfterSeconds, relapsedShare } = recovered(210, second =>
      second < 30 || (second >= 150 && second < 170) ? { failed: 5 } : {},
    )
    expect(healthyAfterSeconds).toBeLessThanOrEqual(21)
    expect(relapsedShare).toBeGreaterThan(0.1)
    expect(relapsedShare).toBeLessThan(0.2)
  })

  it('is never healthy when it is slow to the end', () => {
    expect(recovered(120, () => ({ tookMs: 3_000 }))).toEqual({ healthyAfterSeconds: null, relapsedShare: null })
  })
})

describe('a run in figures', () => {
  function played(more: Partial<Played> = {}): Played {
    const record = new Tally()
    for (const [served, failed] of [
      [8, 2],
      [8, 3],
      [0, 0],
    ] as const) {
      const visitor = record.newVisitor('v')
      visitor.arrivedMs = 0
      const page = { atMs: 1_000, tookMs: 50, what: '/', isOrigin: true }
      for (let n = 0; n < served; n++) record.ended(visitor, { ...page, status: 200 })
      for (let n = 0; n < failed; n++) record.ended(visitor, { ...page, what: 'POST /checkout', status: 502 })
    }
    const origin = { requests: 30, workDone: 240, orders: 0, spoiled: 0 }
    const usual = { leaked: 0, endedMs: 10_000, hasRoom: true, objects: 2, memory: [], spoiledAtClosing: null }
    return { record, origin, ...usual, ...more }
  }

  it('counts the served visitors, the failures and the used share of the origin', () => {
    const column = columnOf(played(), { capacity: 40, troubleSeconds: 0, targetMs: 500 })
    expect(column).toMatchObject({
      visitors: 3,
      visitorsServed: 1,
      pages: 21,
      pagesFailed: 5,
      pagesFailedElsewhere: 0,
      usedShare: 0.6,
      originRequestsPerVisitor: 10,
    })
    expect(column.costUsd).toBeGreaterThan(0)
  })

  it('has no price where there is no room', () => {
    const column = columnOf(played({ hasRoom: false }), { capacity: 40, troubleSeconds: 0, targetMs: 500 })
    expect(column.costUsd).toBeNull()
  })

  it('names the promise that was broken', () => {
    const [scenario] = SCENARIOS
    if (!scenario) throw new Error('there is none')
    const column = columnOf(played({ leaked: 1 }), scenario)
    const both = { scenario, withRoom: column, without: column }
    expect(promisesOf(both)[0]).toEqual({ words: expect.stringContaining('not let in'), kept: false })
    expect(tableOf(both)).toContain('BROKEN nothing of a visitor')
  })
})

describe('the scenarios', () => {
  it.each(SCENARIOS.map(scenario => [scenario.name, scenario] as const))('have valid rooms: %s', (_, { rooms }) => {
    expect(parseRooms(JSON.parse(JSON.stringify(rooms)))).toHaveLength(rooms.length)
  })
})

describe('faults of the shop', () => {
  it('are set by name', () => {
    const faults = noFaults()
    expect(setFaults(faults, { payment: 'hangs', capacityShare: 0.5 })).toBeNull()
    expect(faults).toEqual({ payment: 'hangs', configurator: 'works', capacityShare: 0.5 })
  })

  it.each([
    [{ payment: 'no' }, 'payment must be works or hangs, got "no"'],
    [{ capacityShare: 2 }, 'capacityShare must be a number, 0.05 to 1, got 2'],
    [{ weather: 'bad' }, 'weather is not a fault of this shop, got "bad"'],
    [null, 'faults must be a JSON object'],
  ])('%j are refused whole', (given, message) => {
    const faults = noFaults()
    expect(setFaults(faults, given)).toBe(message)
    expect(faults).toEqual(noFaults())
  })
})
