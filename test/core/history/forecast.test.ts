import { describe, expect, it } from 'vitest'
import { departuresPerMinute, type Forecast, forecastOf, type Outlook } from '../../../src/core/history/forecast.ts'
import { unpacked } from '../../../src/core/history/history.ts'
import { played } from '../../support/simulated.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Visitors who came in together leave together, so departures are measured over more than one stay. */
const WINDOW_MS = 4 * MINUTE
const OUTLOOK: Outlook = {
  ...{ waiting: 600, coming: 0, showRate: 1, inside: 0, arrivalsPerMinute: 0, stayMs: 60 * MINUTE, remaining: null },
}
const LIMITS = { ratePerMinute: 120, totalActiveUsers: 10_000 }

type Moves = Extract<Forecast, { kind: 'moves' }>

function moves(outlook: Partial<Outlook>, limits: Partial<typeof LIMITS> = {}): Moves {
  const forecast = forecastOf({ ...OUTLOOK, ...outlook }, { ...LIMITS, ...limits })
  if (forecast.kind !== 'moves') throw new Error(`the line is ${forecast.why}`)
  return forecast
}

const minutes = (ms: number | null | undefined) => (typeof ms === 'number' ? Math.round((10 * ms) / MINUTE) / 10 : ms)

describe('a forecast', () => {
  it('divides the line by the rate', () => {
    const { emptyInMs, wait, growsPerMinute } = moves({})
    expect([minutes(emptyInMs), minutes(wait?.likelyMs), growsPerMinute]).toEqual([5, 5, -120])
    expect([minutes(wait?.lowMs), minutes(wait?.highMs)]).toEqual([4.3, 6])
  })

  it('leaves out the people who will not come', () => {
    expect(minutes(moves({ showRate: 0.5 }).emptyInMs)).toBe(2.5)
  })

  it('counts called people who still come in before the line', () => {
    expect(minutes(moves({ coming: 120 }).emptyInMs)).toBe(6)
  })

  it('counts newcomers for the end of the line, and not for the wait of a newcomer', () => {
    const { emptyInMs, wait, growsPerMinute } = moves({ arrivalsPerMinute: 60 })
    expect([minutes(emptyInMs), minutes(wait?.likelyMs), growsPerMinute]).toEqual([10, 5, -60])
  })

  it('has a line that grows by newcomers, however many called people are on their way in', () => {
    expect(moves({ coming: 120, arrivalsPerMinute: 120 }).growsPerMinute).toBe(0)
    expect(moves({ coming: 120, arrivalsPerMinute: 30 }).growsPerMinute).toBe(-90)
  })

  it('never ends where more people come than the rate lets in', () => {
    expect(moves({ arrivalsPerMinute: 150 })).toMatchObject({ emptyInMs: null, growsPerMinute: 30 })
  })

  it('expects no line where fewer people come than the rate lets in', () => {
    const { emptyInMs, wait } = moves({ waiting: 0, arrivalsPerMinute: 60 })
    expect([emptyInMs, wait?.likelyMs]).toEqual([0, 0])
  })

  it('follows from the visitors who leave, once all places are taken', () => {
    const full = moves({ waiting: 60, inside: 100, stayMs: 10 * MINUTE }, { totalActiveUsers: 100 })
    expect(minutes(full.emptyInMs)).toBeCloseTo(6, 0)
    const roomy = moves({ waiting: 60, inside: 40, stayMs: 10 * MINUTE }, { totalActiveUsers: 100 })
    expect(minutes(roomy.emptyInMs)).toBeLessThan(1)
  })

  it('is longer than a day where places hardly become free', () => {
    const stuck = moves({ inside: 100, stayMs: DAY }, { totalActiveUsers: 100 })
    expect([stuck.emptyInMs, stuck.wait]).toEqual([null, null])
  })

  it('ends when the budget does', () => {
    expect(minutes(moves({ remaining: 240 }).soldOutInMs)).toBe(2)
    expect(moves({ remaining: 700 }).soldOutInMs).toBeNull()
    expect(forecastOf({ ...OUTLOOK, remaining: 0 }, LIMITS)).toEqual({ kind: 'stopped', why: 'sold-out' })
  })

  it('does not guess while the rate is 0', () => {
    expect(forecastOf(OUTLOOK, { ...LIMITS, ratePerMinute: 0 })).toEqual({ kind: 'stopped', why: 'rate-0' })
  })

  const FULL = { totalActiveUsers: 60, stayMs: 30_000, sessionMs: 60_000 }
  it.each([
    ['its rate', { visitors: 240, ratePerMinute: 60, noShows: 0 }],
    ['its rate, with no-shows', { visitors: 300, ratePerMinute: 60, noShows: 0.3 }],
    ['its total', { visitors: 480, ratePerMinute: 600, noShows: 0, ...FULL }],
  ])('is right within a sixth in a simulated room that is limited by %s', (_how, scenario) => {
    const { samples } = played({ arriveMs: 20_000, ...scenario })
    // About half of the line is in by then, and the flow is steady.
    const now = samples.find(({ admitted }) => admitted >= scenario.visitors * 0.45)
    const earlier = samples.find(({ atMs }) => atMs >= (now?.atMs ?? 0) - WINDOW_MS)
    const last = samples.findLast(({ waiting }) => waiting >= 1)
    if (!now || !earlier || !last) throw new Error('the run was too short')
    const departed = now.admitted - earlier.admitted - (now.active - earlier.active)
    const departures = (departed * MINUTE) / (now.atMs - earlier.atMs)
    const forecast = forecastOf(
      {
        ...{ waiting: now.waiting, coming: 0, showRate: 1 - scenario.noShows, inside: now.active },
        ...{ arrivalsPerMinute: 0, stayMs: (now.active / Math.max(1, departures)) * MINUTE, remaining: null },
      },
      { ratePerMinute: now.ratePerMinute, totalActiveUsers: now.totalActiveUsers },
    )
    const tookMs = last.atMs - now.atMs
    const foreseenMs = forecast.kind === 'moves' ? (forecast.emptyInMs ?? DAY) : DAY
    expect(Math.abs(foreseenMs - tookMs) / tookMs).toBeLessThan(1 / 6)
  })
})

describe('departures a minute', () => {
  const minute = (nth: number, more: object) => ({ ...unpacked(nth * MINUTE, {}), ...more })

  it('are the visitors who came in and are no longer inside, and unknown where there are none', () => {
    const line = [minute(0, { admitted: 60, inside: 100 }), minute(1, { admitted: 60, inside: 110 })]
    expect(departuresPerMinute(line, 120, 2 * MINUTE)).toBe(50)
    const open = [minute(0, { admitted: 30, inside: 5 }), minute(1, { admitted: 30, inside: 35 })]
    expect(departuresPerMinute(open, 65, 2 * MINUTE)).toBeNull()
  })

  it('are unknown before a minute has passed', () => {
    expect(departuresPerMinute([], 0, 0)).toBeNull()
    expect(departuresPerMinute([minute(0, { admitted: 30 })], 0, MINUTE - 1)).toBeNull()
  })
})
