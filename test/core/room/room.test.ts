import { describe, expect, it } from 'vitest'
import { arrivalBucketOf } from '../../../src/core/line/arrivals.ts'
import { placeOf } from '../../../src/core/place/place.ts'
import type { DoorReport } from '../../../src/core/protocol/messages.ts'
import {
  left,
  newRoom,
  type RoomRules,
  type RoomState,
  restock,
  sync,
  waitingTotal,
} from '../../../src/core/room/room.ts'
import { emptyReport } from '../../support/reports.ts'

const T0 = 1_700_000_000_000
const rules = { ratePerMinute: 600, totalActiveUsers: 1_000, claimWindowMs: 300_000 }

/** A report of door `a`, which knows that the room has closed. */
function report(more: Partial<DoorReport> = {}): DoorReport {
  return { ...emptyReport('a'), open: false, ...more }
}

const ready = (people: number, oldestKey = T0) => [{ lane: 'main', ready: people, oldestKey, perSecond: 0 }]

function granted(room: RoomState, what: DoorReport, nowMs: number, with_: RoomRules = rules): number {
  const outcome = sync(room, what, with_, nowMs)
  return outcome.kind === 'stale' ? -1 : outcome.granted
}

describe('a report', () => {
  it('gets the stored answer when it is repeated, and none when it is older', () => {
    const room = newRoom(T0)
    expect(granted(room, report({ seq: 2, demand: ready(3) }), T0)).toBe(3)
    expect(sync(room, report({ seq: 2, demand: ready(30) }), rules, T0 + 10)).toEqual({
      kind: 'repeated',
      granted: 3,
    })
    expect(sync(room, report({ seq: 1, spent: 3 }), rules, T0 + 20)).toEqual({ kind: 'stale' })
    expect(sync(room, report({ epoch: 0, seq: 9 }), rules, T0 + 30)).toEqual({ kind: 'stale' })
  })

  it('from a restarted door starts from zero permits, and its count of live sessions replaces the old one', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(10) }), T0)
    expect(granted(room, report({ epoch: 2, live: 4, demand: ready(2) }), T0 + 1_000)).toBe(2)
    expect(room.doors.get('a')).toMatchObject({ live: 4, granted: 2, spent: 0 })
  })
})

describe('a line that becomes slower', () => {
  const seconds = (n: number) => T0 + n * 1_000
  const slowed = (room: RoomState) => room.snapshot?.slowed

  it('is announced when the operator lowers the rate', () => {
    const room = newRoom(T0)
    granted(room, report(), T0)
    expect(slowed(room)).toBeNull()
    granted(room, report({ seq: 2 }), seconds(1), { ...rules, ratePerMinute: 60 })
    expect(slowed(room)).toBe('rate')
  })

  it('is announced when the last place is taken', () => {
    const room = newRoom(T0)
    granted(room, report({ live: 900 }), T0)
    expect(slowed(room)).toBeNull()
    granted(room, report({ seq: 2, live: 1_000 }), seconds(1))
    expect(slowed(room)).toBe('full')
  })
})

describe('grants', () => {
  it('let the very first visitors of a new room in at once', () => {
    expect(granted(newRoom(T0), report({ demand: ready(1) }), T0)).toBeGreaterThanOrEqual(1)
  })

  it('never exceed the places, whichever door asks', () => {
    const room = newRoom(T0)
    const small = { ...rules, totalActiveUsers: 10, ratePerMinute: 60_000 }
    expect(granted(room, report({ demand: ready(500) }), T0, small)).toBe(10)
    expect(granted(room, report({ door: 'b', demand: ready(500) }), T0, small)).toBe(0)
    expect(granted(room, report({ seq: 2, spent: 10, live: 10, demand: ready(490) }), T0 + 1_000, small)).toBe(10)
  })

  it('follow the rate', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(500) }), T0)
    const second = report({ seq: 2, spent: 50, live: 50, demand: ready(450) })
    granted(room, second, T0 + 1_000)
    const third = report({ seq: 3, spent: 50, live: 50, demand: ready(450) })
    // The rate is ten permits a second. None were added in the first second, while 50 permits were outstanding.
    expect(granted(room, third, T0 + 2_000)).toBe(60)
  })

  it('are zero while the rate is zero', () => {
    expect(granted(newRoom(T0), report({ demand: ready(5) }), T0, { ...rules, ratePerMinute: 0 })).toBe(0)
  })

  it('give the only free place to the door with the oldest visitor', () => {
    const room = newRoom(T0)
    const scarce = { ...rules, totalActiveUsers: 3 }
    granted(room, report({ door: 'b', demand: ready(0) }), T0, scarce)
    // The visitors of b are older than those of a.
    Object.assign(room.doors.get('b') ?? {}, { demand: ready(1, T0 - 500) })
    expect(granted(room, report({ demand: ready(1, T0) }), T0, { ...scarce, totalActiveUsers: 1 })).toBe(0)
    expect(
      granted(room, report({ door: 'b', seq: 2, demand: ready(1, T0 - 500) }), T0, {
        ...scarce,
        totalActiveUsers: 1,
      }),
    ).toBe(1)
  })
})

describe('an open room', () => {
  it('closes when a claim must be refused, with the frontier just before the oldest refused visitor', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(60, T0 + 77) }), T0 + 100)
    expect(room.open).toBe(false)
    expect(room.lines.get('main')?.state.frontierKey).toBeCloseTo(T0 + 77 - 0.001)
    expect(room.lines.get('main')?.state.frontierKey).toBeLessThan(T0 + 77)
  })

  it('stays open while every visitor gets a permit', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(20, T0 + 77) }), T0 + 100)
    expect(room.open).toBe(true)
  })

  it('opens again when no visitor is ready or waiting and permits remain', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(60) }), T0)
    for (let second = 1; second <= 12; second++) {
      granted(room, report({ seq: 1 + second, spent: 50, live: 50 }), T0 + second * 1_000)
    }
    expect(room.open).toBe(true)
  })
})

describe('the line', () => {
  it('counts confirmed tickets and calls them in order', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(60) }), T0)
    const buckets = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`line/main/${arrivalBucketOf(T0 + 1_000 + 2 * i)}`, 5]),
    )
    granted(room, report({ seq: 2, spent: 50, live: 50, demand: ready(10), cells: buckets }), T0 + 20_000)
    expect(waitingTotal(room)).toBeGreaterThan(400)
    const before = room.lines.get('main')?.state.frontierKey ?? 0
    granted(room, report({ seq: 3, spent: 60, live: 60 }), T0 + 21_000)
    expect(room.lines.get('main')?.state.frontierKey).toBeGreaterThan(before)
  })

  it('still calls a visitor who comes back to an old place, even if that claim closes the room', () => {
    const room = newRoom(T0)
    let seq = 1
    for (let minute = 0; minute <= 30; minute++) granted(room, report({ seq: seq++ }), T0 + minute * 60_000)
    expect(room.open).toBe(true)
    const nowMs = T0 + 30 * 60_000 + 1_000
    granted(room, report({ seq: seq++, live: rules.totalActiveUsers, demand: ready(1, T0 + 60_000) }), nowMs)
    expect(room.open).toBe(false)
    const { snapshot } = room
    if (!snapshot) throw new Error('no snapshot')
    const { lapsedKey, frontierKey } = snapshot.lanes.main ?? {}
    expect(frontierKey).toBeGreaterThanOrEqual(lapsedKey ?? Number.POSITIVE_INFINITY)
    const ticket = {
      ...{ room: 'shop', sid: 'eu-0.x~1', key: T0 + 60_000, lane: 'main', confirmed: false, low: null },
      ...{ byMs: nowMs + rules.claimWindowMs, generation: snapshot.generation, issuedMs: nowMs },
    }
    expect(placeOf(ticket, snapshot, rules.claimWindowMs, nowMs).state).toBe('called')
  })

  it('ignores tickets from the distant future', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(60) }), T0)
    granted(
      room,
      report({ seq: 2, cells: { [`line/main/${arrivalBucketOf(T0 + 3_600_000)}`]: 5, 'line/main/abc': 1 } }),
      T0 + 1_000,
    )
    expect(waitingTotal(room)).toBe(0)
  })
})

describe('a random line', () => {
  const MINUTE = 60_000
  const shuffled = { ...rules, shuffleMs: MINUTE }
  /** The start of a minute. */
  const T1 = Math.ceil(T0 / MINUTE) * MINUTE
  const frontierOf = (room: RoomState) => room.lines.get('main')?.state.frontierKey ?? 0

  /** A room that began to draw a minute ago and closed in the middle of this minute, with a hundred tickets counted. */
  function closedMidway(): RoomState {
    const room = newRoom(T1 - MINUTE)
    granted(room, report(), T1 - MINUTE, shuffled)
    const nowMs = T1 + 30_000
    granted(room, report({ seq: 2, open: true, demand: ready(200, T1 + 100) }), nowMs, shuffled)
    const cells = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`line/main/${arrivalBucketOf(T1 + i * 600)}`, 1]),
    )
    granted(room, report({ seq: 3, open: false, spent: 50, live: 50, cells }), nowMs + 1_000, shuffled)
    return room
  }

  it('is not called, and its room stays closed, until its batch has ended and been counted', () => {
    const room = closedMidway()
    expect(waitingTotal(room)).toBeCloseTo(100)
    for (let second = 2; second < 35; second++) {
      granted(room, report({ seq: 2 + second, spent: 50 }), T1 + 30_000 + second * 1_000, shuffled)
      expect([room.open, frontierOf(room) < T1]).toEqual([false, true])
    }
    granted(room, report({ seq: 40, spent: 50 }), T1 + MINUTE + 5_000, shuffled)
    expect(frontierOf(room)).toBeGreaterThan(T1)
    expect(frontierOf(room)).toBeLessThan(T1 + MINUTE)
  })

  it('counts a ticket that is drawn far ahead in a long window', () => {
    const room = newRoom(T1)
    const long = { ...rules, ratePerMinute: 0, shuffleMs: 60 * MINUTE }
    granted(room, report({ demand: ready(1) }), T1, long)
    const endMs = Math.ceil((T1 + 1) / (60 * MINUTE)) * 60 * MINUTE
    granted(room, report({ seq: 2, cells: { [`line/main/${arrivalBucketOf(endMs - 500)}`]: 1 } }), T1 + 1_000, long)
    expect(waitingTotal(room)).toBe(1)
  })

  it('publishes the batches of the draw, and the key up to which places are known', () => {
    const room = closedMidway()
    expect(room.snapshot).toMatchObject({ batches: { fromMs: T1 - MINUTE + 1, windowMs: MINUTE } })
    expect(room.snapshot?.settledKey).toBeCloseTo(T1 - 0.001)
  })

  it('serves drawn tickets in the order of their keys after a change to order of arrival', () => {
    const room = closedMidway()
    for (let second = 2; second < 9; second++) {
      granted(room, report({ seq: 2 + second, spent: 50 }), T1 + 30_000 + second * 1_000)
      expect(frontierOf(room)).toBeLessThan(T1)
    }
    granted(room, report({ seq: 20, spent: 50 }), T1 + 40_000)
    expect(frontierOf(room)).toBeGreaterThan(T1)
    expect(frontierOf(room)).toBeLessThanOrEqual(T1 + 35_000)
  })
})

describe('a room that rejects', () => {
  it('opens again at once when no visitor waits, because refused visitors have left', () => {
    const rejects = { ...rules, rejects: true }
    const room = newRoom(T0)
    granted(room, report({ demand: ready(60) }), T0, rejects)
    granted(room, report({ seq: 2, spent: 50, live: 50 }), T0 + 1_000, rejects)
    expect(room.open).toBe(false)
    granted(room, report({ seq: 3, spent: 50, live: 50 }), T0 + 2_000, rejects)
    expect(room.open).toBe(true)
  })
})

describe('a budget of admissions', () => {
  const stocked = { ...rules, ratePerMinute: 60_000, remaining: 30 }

  it('is never exceeded, however many doors ask', () => {
    const room = newRoom(T0)
    let total = 0
    for (const door of ['a', 'b', 'c', 'd']) total += granted(room, report({ door, demand: ready(20) }), T0, stocked)
    expect(total).toBe(30)
    expect(left(room)).toBe(30)
    granted(room, report({ seq: 2, spent: 20, live: 20, demand: ready(9) }), T0 + 1_000, stocked)
    expect(left(room)).toBe(10)
    expect(granted(room, report({ door: 'd', seq: 2, demand: ready(20) }), T0 + 2_000, stocked)).toBe(0)
  })

  it('counts the outstanding permits of a restarted door as spent, because its last report may be lost', () => {
    const room = newRoom(T0)
    expect(granted(room, report({ demand: ready(20) }), T0, stocked)).toBe(20)
    expect(granted(room, report({ epoch: 2, live: 5, demand: ready(20) }), T0 + 1_000, stocked)).toBe(10)
    expect(left(room)).toBe(10)
  })

  it('gets back the permits that a door returns, and holds the line when it is spent', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(20) }), T0, stocked)
    granted(room, report({ seq: 2, spent: 5, returned: 15, live: 5 }), T0 + 5_000, stocked)
    expect([left(room), room.snapshot?.soldOut]).toEqual([25, false])
    granted(room, report({ seq: 3, spent: 5, returned: 15, live: 5, demand: ready(25) }), T0 + 6_000, stocked)
    granted(room, report({ seq: 4, spent: 30, returned: 15, live: 30, demand: ready(3) }), T0 + 7_000, stocked)
    expect([left(room), room.open]).toEqual([0, false])
    expect(room.snapshot).toMatchObject({ soldOut: true, held: true })
  })

  it('calls no more people than it can admit, apart from a small reserve', () => {
    const room = newRoom(T0)
    const scarce = { ...rules, remaining: 5 }
    granted(room, report({ demand: ready(60) }), T0, scarce)
    const cells = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`line/main/${arrivalBucketOf(T0 + 10 * i)}`, 1]),
    )
    granted(room, report({ seq: 2, returned: 5, cells }), T0 + 10_000, scarce)
    for (let second = 11; second < 15; second++) {
      granted(room, report({ seq: second, returned: 5 }), T0 + second * 1_000, scarce)
    }
    // The room calls five people and two in reserve, and as many again when the first people do not come.
    // Without the budget it would call fifty people.
    expect(waitingTotal(room)).toBeGreaterThan(80)
    expect(waitingTotal(room)).toBeLessThan(100)
  })

  it('starts afresh when it is set again, and ends when it is removed', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: ready(30) }), T0, stocked)
    granted(room, report({ seq: 2, spent: 30, live: 30 }), T0 + 1_000, stocked)
    expect(left(room)).toBe(0)
    restock(room, 30)
    granted(room, report({ seq: 3, spent: 30, live: 30 }), T0 + 2_000, stocked)
    expect(left(room)).toBe(30)
    granted(room, report({ seq: 4, spent: 30, live: 30 }), T0 + 3_000)
    expect(left(room)).toBeNull()
  })
})
