import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyReply,
  decideClaim,
  extendSession,
  newDoor,
  report as reportOf,
  usable,
} from '../../../src/core/door/door.ts'
import { arrivalBucketOf, chunkOf } from '../../../src/core/line/arrivals.ts'
import { comingIn, newFrontier } from '../../../src/core/line/frontier.ts'
import { callEverybody, laneOf } from '../../../src/core/line/line.ts'
import { allot, divide, newLaneTurns, servedIn, shareOf, take } from '../../../src/core/permits/lanes.ts'
import { placeOf } from '../../../src/core/place/place.ts'
import type { DoorReport, Snapshot } from '../../../src/core/protocol/messages.ts'
import { newRoom, type RoomState, sync, takeDirty, tick, waitingTotal } from '../../../src/core/room/room.ts'
import type { SessionRules } from '../../../src/core/session.ts'
import type { Ticket } from '../../../src/core/ticket.ts'
import { MemorySessions } from '../../../tools/simulation/sessions.ts'
import type { World } from '../../../tools/simulation/world.ts'
import { emptyReport } from '../../support/reports.ts'
import { played, ROUGH } from '../../support/simulated.ts'

const T0 = 1_700_000_000_000
const VIP = [{ name: 'vip', share: 0.3 }]
const rules = { ratePerMinute: 600, totalActiveUsers: 1_000, claimWindowMs: 300_000, lanes: VIP }

const demand = (lane: string, ready: number, oldestKey = T0) => ({ lane, ready, oldestKey, perSecond: 0 })

function report(more: Partial<DoorReport> = {}): DoorReport {
  return { ...emptyReport('a'), open: false, ...more }
}

function granted(room: RoomState, what: DoorReport, nowMs: number, with_ = rules) {
  const outcome = sync(room, what, with_, nowMs)
  if (outcome.kind === 'stale') throw new Error('a stale report')
  return { all: outcome.granted, vip: outcome.lanes?.vip ?? 0 }
}

describe('shares', () => {
  it('leave the rest to the main lane, which also serves missing lanes', () => {
    expect([shareOf(VIP, 'vip'), shareOf(VIP, 'main')]).toEqual([0.3, 0.7])
    expect([servedIn(VIP, 'vip'), servedIn(VIP, 'gone')]).toEqual(['vip', 'main'])
  })

  const needs = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 3, maxLength: 3 })
  const lanes = [
    { name: 'vip', share: 0.3 },
    { name: 'gold', share: 0.2 },
  ]
  const asMap = ([main = 0, vip = 0, gold = 0]: number[]) => new Map(Object.entries({ main, vip, gold }))

  it('never give a lane more than it needs, and waste no permit that another lane needs', () => {
    fc.assert(
      fc.property(needs, fc.integer({ min: 0, max: 60 }), (wanted, most) => {
        const parts = allot(newLaneTurns(), { lanes, byLane: asMap(wanted), slack: 5 }, most)
        const sum = [...parts.values()].reduce((a, b) => a + b, 0)
        for (const [lane, need] of asMap(wanted)) expect(parts.get(lane) ?? 0).toBeLessThanOrEqual(need)
        expect(sum).toBe(
          Math.min(
            most,
            wanted.reduce((a, b) => a + b, 0),
          ),
        )
      }),
    )
  })

  it('are kept within two permits while all lanes want more permits, however few are granted at a time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 100, maxLength: 200 }), portions => {
        const turns = newLaneTurns()
        const wanted = { lanes, byLane: asMap([1_000, 1_000, 1_000]), slack: 5 }
        const got = { main: 0, vip: 0, gold: 0 }
        let all = 0
        for (const most of portions) {
          const given = allot(turns, wanted, most)
          take(turns, wanted, given)
          for (const lane of ['main', 'vip', 'gold'] as const) got[lane] += given.get(lane) ?? 0
          all += most
        }
        expect(Math.abs(got.main - 0.5 * all)).toBeLessThan(2)
        expect(Math.abs(got.vip - 0.3 * all)).toBeLessThan(2)
        expect(Math.abs(got.gold - 0.2 * all)).toBeLessThan(2)
      }),
    )
  })

  it('of a lane that was empty for long are not made up for later at the cost of other lanes', () => {
    const turns = newLaneTurns()
    const alone = { lanes: VIP, byLane: new Map([['main', 10]]), slack: 5 }
    for (let i = 0; i < 100; i++) take(turns, alone, allot(turns, alone, 10))
    const both = asMap([100, 100])
    const given = allot(turns, { lanes: VIP, byLane: both, slack: 5 }, 100)
    expect(given.get('vip')).toBeGreaterThanOrEqual(30)
    expect(given.get('vip')).toBeLessThanOrEqual(36)
  })

  it('that a lane cannot use go to the others', () => {
    const parts = divide(
      100,
      VIP,
      new Map([
        ['main', 500],
        ['vip', 10],
      ]),
    )
    expect([parts.get('vip'), parts.get('main')]).toEqual([10, 90])
  })
})

describe('a room with lanes', () => {
  it('grants each lane its share of scarce permits, and reports the part of each lane', () => {
    const room = newRoom(T0)
    const { all, vip } = granted(room, report({ demand: [demand('main', 500), demand('vip', 500)] }), T0)
    expect([all, vip]).toEqual([50, 15])
  })

  it('gives all permits to the only lane with ready visitors', () => {
    expect(granted(newRoom(T0), report({ demand: [demand('vip', 500)] }), T0)).toEqual({ all: 50, vip: 50 })
    expect(granted(newRoom(T0), report({ demand: [demand('main', 500)] }), T0)).toEqual({ all: 50, vip: 0 })
  })

  it('repeats an answer with its lanes, and forgets them when the door restarts', () => {
    const room = newRoom(T0)
    const first = report({ seq: 2, demand: [demand('main', 500), demand('vip', 500)] })
    granted(room, first, T0)
    expect(sync(room, first, rules, T0 + 10)).toEqual({ kind: 'repeated', granted: 50, lanes: { vip: 15 } })
    granted(room, report({ epoch: 2, seq: 1 }), T0 + 20)
    expect(room.doors.get('a')).toMatchObject({ granted: 0 })
    expect(room.doors.get('a')?.lanes).toBeUndefined()
  })

  it('counts each lane in a line of its own, and calls both', () => {
    const room = newRoom(T0)
    granted(room, report({ demand: [demand('main', 60), demand('vip', 60)] }), T0)
    const cells = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        [`line/main/${arrivalBucketOf(T0 + 10 * i)}`, 1] as const,
        [`line/vip/${arrivalBucketOf(T0 + 10 * i)}`, 1] as const,
      ]).flat(),
    )
    granted(room, report({ seq: 2, cells, spent: 50, gone: { vip: 15 }, live: 50 }), T0 + 10_000)
    const vip = room.snapshot?.lanes.vip
    expect(room.snapshot?.lanes.main?.frontierKey).toBeGreaterThan(T0)
    expect(vip?.frontierKey).toBeGreaterThan(T0)
    expect(vip?.share).toBe(0.3)
  })
})

/** The people between two moments, one every `stepMs`, as a report counts them. */
function people(lane: string, fromKey: number, count: number, stepMs = 10): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`line/${lane}/${arrivalBucketOf(fromKey + stepMs * i)}`, 1]),
  )
}

/** A closed and held room with two lanes, at T0 + 10 s. */
function heldRoom(cells: Record<string, number>): RoomState {
  const room = newRoom(T0)
  room.open = false
  tick(room, HELD, T0)
  granted(room, report({ cells }), T0 + 10_000, HELD)
  return room
}

const HELD = { ...rules, ratePerMinute: 0 }
const NO_LANES = { ...rules, lanes: [] }
const HELD_WITHOUT = { ...HELD, lanes: [] }
const NO_SNAPSHOT: Snapshot = {
  asOfMs: 0,
  generation: 1,
  open: false,
  held: true,
  full: false,
  ratePerSecond: 1,
  lanes: {},
}

/** Where a confirmed ticket stands in the room's last snapshot. */
function placeIn(room: RoomState, lane: string, key: number, nowMs: number) {
  const ticket = { ...TICKET, lane, key, issuedMs: nowMs }
  return placeOf(ticket, room.snapshot ?? NO_SNAPSHOT, rules.claimWindowMs, nowMs)
}

const TICKET: Ticket = {
  room: 'shop',
  sid: 'a.1',
  key: T0,
  lane: 'main',
  confirmed: true,
  low: null,
  byMs: null,
  generation: T0,
  issuedMs: T0,
}

describe('a removed lane', () => {
  const BOTH = { ...people('main', T0 + 1_000, 40), ...people('vip', T0 + 1_005, 40) }

  it('moves its people into the main line, where they stand by their keys', () => {
    const room = heldRoom(BOTH)
    expect(placeIn(room, 'vip', T0 + 1_305, T0 + 10_000)).toMatchObject({ ahead: 30 })
    tick(room, HELD_WITHOUT, T0 + 11_000)
    expect([...room.lines.keys()]).toEqual(['main'])
    expect(Object.keys(room.snapshot?.lanes ?? {})).toEqual(['main'])
    expect(waitingTotal(room)).toBe(80)
    expect(placeIn(room, 'vip', T0 + 1_305, T0 + 11_000)).toMatchObject({ ahead: 61 })
    expect(placeIn(room, 'main', T0 + 1_310, T0 + 11_000)).toMatchObject({ ahead: 62 })
  })

  it('names its lane and the changed chunks of the main line for the store', () => {
    const room = heldRoom(BOTH)
    tick(room, HELD_WITHOUT, T0 + 11_000)
    expect([...takeDirty(room, T0 + 11_000)]).toEqual([
      ['main', new Set([chunkOf(arrivalBucketOf(T0 + 1_005))])],
      ['vip', new Set()],
    ])
  })

  it('has its visitors called in the order of their keys, with permits of the main lane', () => {
    const room = heldRoom(BOTH)
    for (let second = 11; second < 15; second++) {
      granted(room, report({ seq: second }), T0 + second * 1_000, NO_LANES)
    }
    const frontierKey = room.snapshot?.lanes.main?.frontierKey ?? 0
    expect(waitingTotal(room)).toBeLessThan(70)
    expect(placeIn(room, 'vip', frontierKey - 0.001, T0 + 15_000).state).toBe('called')
    expect(placeIn(room, 'vip', frontierKey + 10, T0 + 15_000).state).toBe('waiting')
    const last = report({ seq: 40, demand: [demand('vip', 5)] })
    const outcome = granted(room, last, T0 + 31_000, NO_LANES)
    expect([outcome.all, outcome.vip]).toEqual([5, 0])
  })

  it('makes no visitor miss the turn', () => {
    const room = heldRoom(BOTH)
    const [main, vip] = [room.lines.get('main'), room.lines.get('vip')]
    // The main line has passed every key of vip long ago, while vip stood still.
    for (let minute = 1; minute < 10; minute++) {
      if (main) callEverybody(main, T0 + 2_000, rules.claimWindowMs, T0 + minute * 60_000)
    }
    expect([main?.state.lapsedKey, vip?.state.lapsedKey]).toEqual([T0 + 2_000, 0])
    const nowMs = T0 + 10 * 60_000
    tick(room, HELD_WITHOUT, nowMs)
    expect(placeIn(room, 'vip', T0 + 1_305, nowMs).state).toBe('called')
    tick(room, HELD_WITHOUT, nowMs + rules.claimWindowMs - 1_000)
    expect(placeIn(room, 'vip', T0 + 1_305, nowMs).state).toBe('called')
    expect(comingIn(main?.state.control ?? newFrontier(0), 0)).toBe(40)
  })

  it('counts late tickets and departures of its visitors in the main line', () => {
    const room = heldRoom(BOTH)
    tick(room, HELD_WITHOUT, T0 + 11_000)
    const late = { ...people('vip', T0 + 9_000, 3), [`gone/vip/${arrivalBucketOf(T0 + 1_005)}`]: 1, 'shown/vip': 2 }
    granted(room, report({ seq: 2, base: 1, cells: late }), T0 + 11_100, HELD_WITHOUT)
    expect(waitingTotal(room)).toBe(82)
    expect(room.shown).toEqual(new Map([['main', 2]]))
  })

  it('is a new lane when it is added again: older tickets of its name stay in the main line', () => {
    const room = heldRoom(BOTH)
    tick(room, HELD_WITHOUT, T0 + 11_000)
    tick(room, HELD, T0 + 20_000)
    const late = { ...people('vip', T0 + 9_000, 2), ...people('vip', T0 + 21_000, 5) }
    granted(room, report({ seq: 2, base: 1, cells: late }), T0 + 30_000, HELD)
    expect(placeIn(room, 'vip', T0 + 1_305, T0 + 30_000)).toMatchObject({ ahead: 61 })
    expect(placeIn(room, 'vip', T0 + 21_040, T0 + 30_000)).toMatchObject({ ahead: 4 })
    const inLine = (lane: string) => room.lines.get(lane)?.arrivals.after(T0)
    expect([inLine('main'), inLine('vip'), waitingTotal(room)]).toEqual([82, 5, 87])
  })

  it('keeps every place in order, and counts each once, however lanes come and go', () => {
    const steps = fc.array(fc.record({ has: fc.boolean(), came: fc.array(fc.boolean(), { maxLength: 6 }) }), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(steps, all => {
        const room = heldRoom({})
        const came: { lane: string; key: number }[] = []
        let seq = 1
        for (const { has, came: isVip } of all) {
          const nowMs = T0 + (seq + 20) * 20_000
          const settings = has ? HELD : HELD_WITHOUT
          tick(room, settings, nowMs)
          const placed = isVip.map((vip, i) => ({ lane: vip ? 'vip' : 'main', key: nowMs + 1 + i }))
          const cells = Object.fromEntries(placed.map(({ lane, key }) => [`line/${lane}/${arrivalBucketOf(key)}`, 1]))
          granted(room, report({ seq: ++seq, base: seq - 1, cells }), nowMs + 1_000, settings)
          came.push(...placed)
        }
        const lanes = room.snapshot?.lanes ?? {}
        expect(waitingTotal(room)).toBe(came.length)
        for (const name of Object.keys(lanes)) {
          const keys = came.filter(place => laneOf(lanes, place) === name).map(({ key }) => key)
          const ahead = keys.map(key => placeIn(room, came.find(place => place.key === key)?.lane ?? '', key, T0 + 1e6))
          expect(ahead).toEqual(keys.map((_, index) => expect.objectContaining({ state: 'waiting', ahead: index })))
        }
      }),
    )
  })

  it('lets no lapsed key of all lanes count again, however lanes come and go', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(400)), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(steps, all => {
        const room = newRoom(T0)
        let nowMs = T0
        let lapsedKey = 0
        for (const [has, seconds] of all) {
          nowMs += seconds * 1_000
          tick(room, has ? rules : NO_LANES, nowMs)
          const least = Math.min(...[...room.lines.values()].map(({ state }) => state.lapsedKey))
          expect(least).toBeGreaterThanOrEqual(lapsedKey)
          lapsedKey = least
        }
      }),
    )
  })
})

describe('a ticket that is given up for another lane', () => {
  const bucket = arrivalBucketOf(T0 + 5_000)
  const waitingIn = (room: RoomState, lane: string) => Math.round(room.lines.get(lane)?.arrivals.after(0) ?? 0)

  it('is subtracted once, however often it is given up, and no other ticket is subtracted', () => {
    const room = newRoom(T0)
    const cells = { [`line/main/${bucket}`]: 1, [`line/main/${bucket + 1}`]: 1, [`line/vip/${bucket}`]: 2 }
    granted(room, report({ cells }), T0)
    granted(
      room,
      report({ seq: 2, base: 1, cells: { [`gone/main/${bucket}`]: 3, 'gone/none/1': 1, 'gone/vip/x': 1 } }),
      T0,
    )
    expect([waitingIn(room, 'main'), waitingIn(room, 'vip'), waitingTotal(room)]).toEqual([1, 2, 3])
  })
})

describe('a door with permits for lanes', () => {
  const sessionRules: SessionRules = {
    sessionMs: 300_000,
    renewal: true,
    sessionMaxMs: null,
    reentryGraceMs: 120_000,
    claimWindowMs: 300_000,
  }

  function doorWith(main: number, vip: number, hasVip = true) {
    const door = newDoor('eu-0', 1, 0)
    const sessions = new MemorySessions()
    const { seq } = reportOf(door, 0, '', 0)
    const lane = { frontierKey: 1_000, lapsedKey: 0, calledAhead: 0, curve: [], speed: null }
    const snapshot: Snapshot = {
      asOfMs: 0,
      generation: 1,
      open: false,
      held: false,
      full: false,
      ratePerSecond: 1,
      lanes: { main: lane, ...(hasVip ? { vip: lane } : {}) },
    }
    applyReply(door, { epoch: 1, seq, granted: main + vip, lanes: { vip }, snapshot }, 0)
    const ask = (sid: string, lane: string, key: number, more: object = {}, nowMs = 0) =>
      decideClaim(
        door,
        { store: sessions, rules: sessionRules },
        { request: { sid, key, lane, generation: 1, ...more }, attempt: 'last' },
        nowMs,
      )
    return { door, sessions, ask }
  }

  it('keeps the permits of a lane for its ready visitors, even from older visitors of another lane', () => {
    const { door, ask } = doorWith(0, 1)
    for (const sid of ['a', 'b', 'c']) ask(sid, 'main', 5)
    // No visitor of vip was ready here, so the permit of vip served the first visitor who asked.
    expect(usable(door)).toBe(0)
    const other = doorWith(1, 1)
    expect(other.ask('a', 'main', 5).verdict).toBe('admitted')
    other.door.ready.add({ sid: 'v', key: 50, lane: 'vip', seenMs: 0 })
    expect(other.ask('b', 'main', 5).verdict).toBe('none')
    expect(other.ask('v', 'vip', 50).verdict).toBe('admitted')
  })

  it('reports spent and returned permits by lane, and returns the permits of all lanes together', () => {
    const { door, ask } = doorWith(2, 3)
    ask('v', 'vip', 50)
    expect(reportOf(door, 1, '', 10)).toMatchObject({ spent: 1, returned: 0, gone: { vip: 1 } })
    expect(reportOf(door, 1, '', 10_000)).toMatchObject({ spent: 1, returned: 4, gone: { vip: 3 } })
    expect(usable(door)).toBe(0)
  })

  it('serves visitors of a removed lane with permits of the main one, oldest first', () => {
    const { door, ask } = doorWith(1, 0, false)
    door.ready.add({ sid: 'v', key: 5, lane: 'vip', seenMs: 0 })
    expect(ask('m', 'main', 50).verdict).toBe('none')
    expect(ask('v', 'vip', 5).verdict).toBe('admitted')
  })

  it('admits an invitation again under another sid once its session is over, but none of its earlier tickets', () => {
    const { sessions, ask } = doorWith(5, 0)
    expect(ask('xx-0.abc', 'main', 5, { takenMs: 5 })).toMatchObject({ verdict: 'admitted', expiresMs: 57_000 })
    expect(sessions.live(1_000)).toBe(1)
    // Later and in another browser, it is the same session.
    expect(ask('xx-0.abc', 'main', 7, { takenMs: 7 }, 1_000)).toMatchObject({ verdict: 'admitted', issuedMs: 0 })
    const later = 200_000
    expect(ask('xx-0.abc', 'main', 5, { takenMs: 5 }, later).verdict).toBe('ended')
    expect(ask('xx-0.abc', 'main', 9, { takenMs: later }, later)).toMatchObject({
      verdict: 'admitted',
      sid: 'xx-0.abc~1',
    })
    expect(ask('xx-0.abc', 'main', 9, { takenMs: later + 5 }, later + 9)).toMatchObject({ sid: 'xx-0.abc~1' })
    expect(ask('xx-0.abc', 'main', 5, { takenMs: 5 }, later + 9).verdict).toBe('ended')
  })

  it('finds the session of an invitation when the rows of its earlier sessions are gone', () => {
    const { sessions, ask } = doorWith(5, 0)
    const inviteds = (takenMs: number) => ask('xx-0.abc', 'main', takenMs, { takenMs }, takenMs)
    inviteds(5)
    expect(inviteds(400_000)).toMatchObject({ sid: 'xx-0.abc~1' })
    extendSession(sessions, 'xx-0.abc~1', 3_600_000, 400_000)
    sessions.forget(Number.POSITIVE_INFINITY, sessionRules, 1_000_000)
    expect(sessions.get('xx-0.abc')).toBeUndefined()
    expect(inviteds(1_000_000)).toMatchObject({ sid: 'xx-0.abc~1', issuedMs: 400_000 })
    expect(inviteds(4_000_001)).toMatchObject({ sid: 'xx-0.abc~2', issuedMs: 4_000_001 })
  })
})

describe('lanes over several simulated doors', () => {
  /** A line of twenty minutes. */
  const crowd = { visitors: 7_600, arriveMs: 30_000, ratePerMinute: 600, stayMs: 20_000, untilMs: 660_000 }

  /** Admissions by lane from the second minute to the eleventh. */
  function admitted(world: World): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { atMs, visitor } of world.checks.admissions) {
      const { lane } = visitor
      if (atMs >= world.startMs + 60_000) counts[lane] = (counts[lane] ?? 0) + 1
    }
    return counts
  }

  it('get their shares over ten minutes while all have a line', () => {
    const lanes = [
      { name: 'vip', share: 0.3, crowd: 0.35 },
      { name: 'gold', share: 0.2, crowd: 0.2 },
    ]
    const { main = 0, vip = 0, gold = 0 } = admitted(played({ ...crowd, lanes }))
    const all = main + vip + gold
    expect(all).toBeGreaterThan(5_900)
    expect(Math.abs(vip / all - 0.3)).toBeLessThan(0.02)
    expect(Math.abs(gold / all - 0.2)).toBeLessThan(0.02)
  })

  it('leave what they do not use to the main lane', () => {
    const { main = 0, vip = 0 } = admitted(played({ ...crowd, lanes: [{ name: 'vip', share: 0.8, crowd: 0.02 }] }))
    expect(main + vip).toBeGreaterThan(5_900)
    expect(vip).toBeLessThan(300)
  })

  it('keep I1, I2, I4 and I7 over a rough network, while lanes come and go', () => {
    let admissions = 0
    for (let seed = 1; seed <= 40; seed++) {
      const world = played({
        ...ROUGH,
        seed,
        lanes: [
          { name: 'vip', share: 0.3, crowd: 0.3 },
          { name: 'gold', share: 0.7, crowd: 0.2 },
        ],
        changes: [
          { atMs: 30_000, lanes: [{ name: 'gold', share: 0.5 }] },
          { atMs: 50_000, lanes: [] },
          { atMs: 70_000, lanes: [{ name: 'vip', share: 1 }] },
        ],
      })
      admissions += world.checks.admissions.length
    }
    expect(admissions).toBeGreaterThan(40 * 100)
  }, 30_000)

  it('let no visitor starve in a removed lane', () => {
    const lanes = [{ name: 'vip', share: 0.3, crowd: 0.3 }]
    const world = played({ ...crowd, visitors: 1_000, lanes, changes: [{ atMs: 40_000, lanes: [] }], untilMs: 300_000 })
    expect(world.checks.admissions).toHaveLength(1_000)
    expect(world.counts.missed).toBe(0)
  })
})
