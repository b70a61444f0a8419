import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commit, DRAWN_OVER_MS, fateOf, undrawnKey } from '../../../src/core/events/draws.ts'
import {
  COUNTED_AFTER_MS,
  callableKey,
  type Events,
  type EventsSnapshot,
  eventsSnapshot,
  followEvents,
  knownKey,
  newEvents,
  prequeueAt,
} from '../../../src/core/events/events.ts'
import type { ScheduledEvent } from '../../../src/core/events/schedule.ts'
import { arrivalBucketOf } from '../../../src/core/line/arrivals.ts'
import { nextPollMs } from '../../../src/core/place/next-poll.ts'
import { placeOf, seen } from '../../../src/core/place/place.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import { newRoom, type RoomRules, sync, tick, waitingTotal } from '../../../src/core/room/room.ts'
import type { Ticket } from '../../../src/core/ticket.ts'
import { emptyReport } from '../../support/reports.ts'

const MINUTE = 60_000
const T0 = 1_700_000_000_000
const P = T0 + 10 * MINUTE
const S = P + 10 * MINUTE
const E = S + 60 * MINUTE
const sale: ScheduledEvent = { name: 'sale', prequeueMs: P, startMs: S, endMs: E, shuffles: true }
const premiere: ScheduledEvent = { ...sale, name: 'premiere', shuffles: false }

/** A room that drew no keys, and last looked at its line half a second ago. */
const past = (nowMs: number) => ({ untilKey: 0, seenMs: nowMs - 500, frontierKey: T0 })

let seeds = 0
const newSeed = () => `seed-${++seeds}`

/** The events at `nowMs` of a room that has known `event` since T0, and has looked at the times in `looks`. */
function eventsAt(event: ScheduledEvent, nowMs: number, ...looks: number[]): Events {
  const events = newEvents()
  commit(events, [event], newSeed, T0)
  for (const atMs of [T0, ...looks, nowMs]) followEvents(events, event, past(atMs), atMs)
  return events
}

const view = (events: Events, nowMs: number) => eventsSnapshot(events, nowMs)
const entry = (draw = 1) => ({ event: 'sale', draw })

describe('a room of many events', () => {
  it('keeps only the newest draws, and the seed of an event that is cancelled and restored', () => {
    const events = newEvents()
    const hour = 60 * MINUTE
    for (let i = 0; i < 500; i++) {
      const startMs = S + i * hour
      const drop = { ...sale, name: `drop-${i}`, startMs, endMs: startMs + 30 * MINUTE }
      commit(events, [drop], newSeed, startMs - 20 * MINUTE)
      followEvents(events, drop, past(startMs), startMs)
    }
    expect(events.draws.length).toBeLessThanOrEqual(31)
    // The event is cancelled and restored before its start: its seed stays.
    const nowMs = S + 501 * hour
    const next = { ...sale, name: 'next', startMs: nowMs + hour }
    commit(events, [next], newSeed, nowMs)
    const seed = () => events.draws.find(({ event }) => event === 'next')?.seed
    const before = seed()
    commit(events, [], newSeed, nowMs + 1)
    commit(events, [next], newSeed, nowMs + 2)
    expect(before).toBeDefined()
    expect(seed()).toBe(before)
  })
})

describe('before the start of an event', () => {
  it('edges learn when newcomers begin to wait, but not the seed', () => {
    const before = view(eventsAt(sale, S - 1), S - 1)
    expect(before).toMatchObject({ prequeue: { event: 'sale', draw: 1, fromMs: P, startMs: S }, lastDraw: 1 })
    expect(before?.draws).toEqual([{ id: 1, event: 'sale', startMs: S, drawn: null }])
    expect(JSON.stringify(before)).not.toContain('seed-')
    expect(fateOf(1, before)).toEqual({ fate: 'waits', startMs: S })
  })

  it('newcomers wait from the exact millisecond of the prequeue to that of the start', () => {
    const known = view(eventsAt(sale, T0), T0)
    expect([P - 1, P, S - 1, S].map(atMs => prequeueAt(known, atMs) !== null)).toEqual([false, true, true, false])
  })

  it('no visitor enters a finished draw at an edge whose clock is behind', () => {
    const done = { ...view(eventsAt(sale, S, P), S), prequeue: { event: 'sale', draw: 1, fromMs: P, startMs: S } }
    expect(prequeueAt(done as EventsSnapshot, S - 1)).toBeNull()
  })

  it('no visitor of the prequeue is called, and places are known where there is no draw', () => {
    for (const [event, known] of [
      [sale, P - 0.001],
      [premiere, S - 5_000],
    ] as const) {
      const events = eventsAt(event, S - 1, P)
      expect(callableKey(events, S - 5_000)).toBeCloseTo(P - 0.001, 3)
      expect(knownKey(events, S - 5_000)).toBeCloseTo(known, 3)
    }
  })

  it('visitors drawn in an earlier batch are called, up to the end of that batch', () => {
    const events = newEvents()
    commit(events, [premiere], newSeed, T0)
    followEvents(events, premiere, { untilKey: P + 30_000, seenMs: P - 500, frontierKey: T0 }, P)
    expect(callableKey(events, S)).toBeCloseTo(P + 30_000, 2)
  })
})

describe('the start of an event', () => {
  it('publishes the seed, and holds the line until every visitor has had time to poll', () => {
    const events = eventsAt(sale, S, P)
    const drawn = { fate: 'drawn', seed: events.draws[0]?.seed, batch: { fromKey: S - DRAWN_OVER_MS, untilMs: S } }
    expect(fateOf(1, view(events, S))).toEqual(drawn)
    expect(callableKey(events, S + 5_000)).toBeCloseTo(P - 0.001, 3)
    followEvents(events, sale, past(S + COUNTED_AFTER_MS - 1), S + COUNTED_AFTER_MS - 1)
    expect(events.hold?.phase).toBe('counting')
    followEvents(events, sale, past(S + COUNTED_AFTER_MS), S + COUNTED_AFTER_MS)
    expect(events.hold).toBeNull()
    expect(callableKey(events, S)).toBe(S)
  })

  it('happens once, however often the room looks', () => {
    const once = eventsAt(sale, S + 20_000, P, S)
    const often = eventsAt(sale, S + 20_000, P, S, S, S + 1, S + 9_000, S + 9_000)
    expect({ ...often.draws[0], seed: '' }).toEqual({ ...once.draws[0], seed: '' })
    expect(often.hold).toEqual(once.hold)
    expect(often.draws[0]?.drawnMs).toBe(S)
  })

  it('happens at the next look if the room slept at that time, and the counting begins at that look', () => {
    const late = S + 40 * MINUTE
    const events = eventsAt(sale, late, P)
    expect(events.draws[0]).toMatchObject({ drawnMs: late, fromKey: S - DRAWN_OVER_MS })
    expect(events.hold).toMatchObject({ phase: 'counting', untilMs: late + COUNTED_AFTER_MS - 2_000 })
    const over = eventsAt(sale, E + MINUTE, P)
    expect(fateOf(1, view(over, E + MINUTE)).fate).toBe('drawn')
  })

  it('happens even if its event is deleted from the settings before the room looks', () => {
    const events = eventsAt(sale, S - 1, P)
    commit(events, [], newSeed, S + MINUTE)
    followEvents(events, null, past(S + MINUTE), S + MINUTE)
    expect(fateOf(1, view(events, S + MINUTE)).fate).toBe('drawn')
  })

  it('releases the line at once if there is no draw', () => {
    expect(eventsAt(premiere, S - 1, P).hold).not.toBeNull()
    expect(eventsAt(premiere, S, P).hold).toBeNull()
  })
})

describe('a draw', () => {
  it('keeps its seed when its event is moved, or deleted and restored before the start', () => {
    const events = eventsAt(sale, P + MINUTE, P)
    const [draw] = events.draws
    const moved = { ...sale, startMs: S + MINUTE }
    commit(events, [moved], newSeed, P + MINUTE)
    followEvents(events, moved, past(P + MINUTE), P + MINUTE)
    expect(events.draws).toEqual([{ ...draw, startMs: S + MINUTE }])
    commit(events, [], newSeed, P + MINUTE)
    commit(events, [sale], newSeed, P + MINUTE)
    expect(events.draws).toEqual([draw])
    expect(prequeueAt(view(events, P + 2 * MINUTE), P + 2 * MINUTE)?.fromMs).toBe(P)
  })

  it('that is cancelled is void for its entries, and holds the line for 75 s until they have polled', () => {
    const events = eventsAt(sale, P + MINUTE, P)
    commit(events, [], newSeed, P + MINUTE)
    followEvents(events, null, past(P + MINUTE), P + MINUTE)
    expect(fateOf(1, view(events, P + MINUTE))).toEqual({ fate: 'void' })
    expect(events.hold).toMatchObject({ fromKey: P, untilMs: P + MINUTE + 75_000 })
    followEvents(events, null, past(P + MINUTE + 75_000), P + MINUTE + 75_000)
    expect(events.hold).toBeNull()
  })

  it('never uses a seed twice: the same event name after the start is another draw', () => {
    const events = eventsAt(sale, S + MINUTE, P, S)
    const next = { ...sale, prequeueMs: E + P, startMs: E + S, endMs: E + E }
    commit(events, [next], newSeed, S + MINUTE)
    expect(events.draws.map(({ id }) => id)).toEqual([1, 2])
    expect(events.draws[1]?.seed).not.toBe(events.draws[0]?.seed)
    expect(fateOf(1, view(events, S + MINUTE)).fate).toBe('drawn')
    expect(fateOf(2, view(events, S + MINUTE)).fate).toBe('waits')
  })

  it('makes its entries wait at an edge that does not know of the draw yet', () => {
    expect(fateOf(7, view(eventsAt(sale, P), P)).fate).toBe('waits')
    expect(fateOf(7, null).fate).toBe('waits')
  })

  it('never reveals its seed before its start, whatever happens to its event', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 8 * MINUTE }),
      settings: fc.constantFrom<ScheduledEvent[]>(
        [sale],
        [premiere],
        [],
        [{ ...sale, startMs: S + 9 * MINUTE, endMs: E }],
      ),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), steps => {
        const events = newEvents()
        let nowMs = T0
        let event: ScheduledEvent | null = null
        for (const { waitMs, settings } of steps) {
          nowMs += waitMs
          followEvents(events, event, past(nowMs), nowMs)
          event = settings.find(({ endMs }) => endMs > nowMs) ?? null
          commit(events, settings, newSeed, nowMs)
          followEvents(events, event, past(nowMs), nowMs)
          for (const { drawn, startMs } of view(events, nowMs)?.draws ?? []) {
            if (drawn) expect(nowMs).toBeGreaterThanOrEqual(startMs)
            if (drawn) expect(drawn.fromKey).toBeLessThan(startMs)
          }
          expect(new Set(events.draws.map(({ seed }) => seed)).size).toBe(events.draws.length)
        }
      }),
    )
  })
})

describe('a place before the start', () => {
  const ticket = (more: Partial<Ticket> = {}): Ticket => ({
    room: 'shop',
    sid: 'eu-0.a',
    key: P + MINUTE,
    lane: 'main',
    confirmed: true,
    low: null,
    byMs: null,
    generation: 1,
    issuedMs: S - MINUTE,
    ...more,
  })
  const room = (events: Events, nowMs: number): Snapshot => ({
    asOfMs: nowMs,
    generation: 1,
    // This edge does not know yet that the room has closed.
    open: true,
    held: false,
    full: false,
    ratePerSecond: 10,
    events: view(events, nowMs),
    lanes: {},
  })
  const now = S - 30_000

  it('is unknown if there is a draw, and is not called in a room that seems open', () => {
    const place = placeOf(ticket({ entry: entry() }), room(eventsAt(sale, now, P), now), MINUTE, now)
    expect(place).toEqual({
      state: 'waiting',
      ahead: 0,
      position: null,
      wait: null,
      startsMs: S,
      drawnMs: S + COUNTED_AFTER_MS,
    })
  })

  it('is not called without a draw either, unless it is older than the prequeue', () => {
    const open = room(eventsAt(premiere, now, P), now)
    expect(placeOf(ticket(), open, MINUTE, now)).toMatchObject({ state: 'waiting', startsMs: S })
    expect(placeOf(ticket({ key: P - 1 }), open, MINUTE, now)).toEqual({ state: 'called' })
    expect(placeOf(ticket(), open, MINUTE, S)).toEqual({ state: 'called' })
  })

  it('is polled at a random time within 5 s after the start, and seldom before', () => {
    const waiting = room(eventsAt(sale, now, P), now)
    const of = ticket({ entry: entry() })
    const poll = (random: number, atMs = now) =>
      nextPollMs(of, placeOf(of, waiting, MINUTE, atMs), waiting, { nowMs: atMs, random })
    expect([poll(0), poll(1)]).toEqual([32_000, 35_000])
    expect(poll(0.5, P + MINUTE)).toBe(60_000)
  })

  it('needs no new signature at each poll', () => {
    const waiting = room(eventsAt(sale, now, P), now)
    const of = ticket({ entry: entry(), issuedMs: now - 20_000 })
    expect(seen(of, placeOf(of, waiting, MINUTE, now), MINUTE, now)).toBe(of)
  })
})

describe('a room', () => {
  const rules: RoomRules = { ratePerMinute: 600, totalActiveUsers: 1_000, claimWindowMs: 300_000, event: premiere }

  it('that is open closes for the prequeue, and keeps the places of visitors who were refused just before', () => {
    const room = newRoom(P - 1_000)
    tick(room, rules, P - 1_000)
    expect(room.open).toBe(true)
    tick(room, rules, P + 700)
    expect(room.open).toBe(false)
    expect(room.lines.get('main')?.state.frontierKey).toBeCloseTo(P - 0.001, 3)
    const refused = [{ lane: 'main', ready: 2, oldestKey: P - 400, perSecond: 1 }]
    sync(room, { ...emptyReport('a'), demand: refused }, rules, P + 900)
    expect(room.lines.get('main')?.state.frontierKey).toBeLessThan(P - 400)
  })

  it('draws places after its frontier, if the room was made less than a minute before the start', () => {
    const room = newRoom(S - 20_000)
    commit(room.events, [sale], newSeed, S - 20_000)
    for (const atMs of [S - 20_000, S - 10_000, S, S + 1_000]) tick(room, { ...rules, event: sale }, atMs)
    const begins = room.lines.get('main')?.state.frontierKey ?? Number.NaN
    expect(room.events.draws[0]?.fromKey).toBeGreaterThan(begins)
    expect(room.snapshot?.events?.draws[0]?.drawn).not.toBeNull()
  })

  it('calls no visitor of the prequeue and stays closed until the start, then calls by arrival', () => {
    const room = newRoom(P - 1_000)
    tick(room, rules, P - 1_000)
    const cells = Object.fromEntries([1, 2, 3].map(second => [`line/main/${arrivalBucketOf(P + second * 1_000)}`, 1]))
    sync(room, { ...emptyReport('a'), cells }, rules, P + 10_000)
    for (let atMs = P + 11_000; atMs < S; atMs += 1_000) tick(room, rules, atMs)
    expect([room.open, waitingTotal(room)]).toEqual([false, 3])
    for (let atMs = S; atMs < S + 2_000; atMs += 500) tick(room, rules, atMs)
    expect(waitingTotal(room)).toBe(0)
  })
})

describe('the place of an entry that is not drawn', () => {
  it('is behind the draw, in the order of arrival, within three seconds after the start', () => {
    const startMs = S
    const arrivals = [86_400_000, 3_600_000, 600_000, 60_000, 9_000, 2_400, 500, 1, 0].map(ageMs => startMs - ageMs)
    const keys = arrivals.map(atMs => undrawnKey(atMs, startMs))
    expect(keys).toEqual(keys.toSorted((a, b) => a - b))
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys[0]).toBeGreaterThan(startMs)
    expect(keys.at(-1)).toBe(startMs + 3_000)
  })
})
