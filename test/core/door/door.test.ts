import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowAsking,
  applyEdgeReport,
  applyReply,
  type DoorState,
  decideClaim,
  endEarly,
  endSession,
  extendSession,
  isActive,
  newDoor,
  renewSession,
  report,
  usable,
} from '../../../src/core/door/door.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import type { SessionRules } from '../../../src/core/session.ts'
import { MemorySessions } from '../../../tools/simulation/sessions.ts'

const rules: SessionRules = {
  sessionMs: 300_000,
  renewal: true,
  sessionMaxMs: null,
  reentryGraceMs: 120_000,
  claimWindowMs: 300_000,
}

/** A door at time 0 with permits. Its room is open, or closed and called up to `frontierKey`. */
function doorWith(permits: number, frontierKey: number | null = null) {
  const door = newDoor('eu-0', 1, 0)
  const sessions = new MemorySessions()
  receive(door, permits, frontierKey)
  const ask = (sid: string, key: number, nowMs = 0, attempt: 'new' | 'last' = 'new') =>
    decideClaim(
      door,
      { store: sessions, rules },
      { request: { sid, key, lane: 'main', generation: 1 }, attempt },
      nowMs,
    ).verdict
  return { door, sessions, ask }
}

/** Applies the answer of the room to the next report of the door. It grants `permits` more. */
function receive(door: DoorState, permits: number, frontierKey: number | null, nowMs = 0, held = false): void {
  const { seq } = report(door, 0, '', nowMs)
  const lane = { frontierKey: frontierKey ?? nowMs, lapsedKey: 0, calledAhead: 0, curve: [], speed: null }
  const snapshot: Snapshot = {
    asOfMs: nowMs,
    generation: 1,
    open: frontierKey === null,
    held,
    full: false,
    ratePerSecond: 1,
    lanes: { main: lane },
  }
  applyReply(door, { epoch: door.epoch, seq, granted: door.granted + permits, snapshot }, nowMs)
}

describe('a claim', () => {
  it('spends one permit and inserts one session, together', () => {
    const { door, sessions, ask } = doorWith(2)
    expect(ask('a', 5)).toBe('admitted')
    expect([usable(door), door.spent, sessions.live(0)]).toEqual([1, 1, 1])
  })

  it('gets the same answer when it is repeated, and spends nothing more', () => {
    const { door, ask } = doorWith(2)
    for (let i = 0; i < 50; i++) expect(ask('a', 5, i)).toBe('admitted')
    expect(door.spent).toBe(1)
  })

  it('of a sid whose session has ended is never admitted again', () => {
    const { door, sessions, ask } = doorWith(5)
    ask('eu-0.a', 5)
    endSession({ store: sessions, rules }, 'eu-0.a', 'revoked', 1_000)
    expect(ask('eu-0.a', 5, 2_000)).toBe('ended')
    expect(ask('eu-0.a', 5, 900_000)).toBe('ended')
    expect(door.spent).toBe(1)
  })

  it('does not revive an ended session when the clock is set back', () => {
    const { sessions, ask } = doorWith(5)
    ask('a', 5)
    expect(sessions.live(57_000)).toBe(0)
    expect(renewSession({ store: sessions, rules }, { sid: 'a', protectMs: 0 }, 55_000).verdict).toBe('ended')
    expect(endSession({ store: sessions, rules }, 'a', 'left', 55_000)).toBe(false)
    expect(extendSession(sessions, 'a', 60_000, 55_000)).toBe(false)
    expect(ask('a', 5, 55_000)).toBe('ended')
    expect(sessions.live(200_000)).toBe(0)
  })

  it('that is refused keeps no permit for a visitor who leaves then', () => {
    const { door, sessions } = doorWith(0)
    const request = { sid: 'a', key: 5, lane: 'main', generation: 1, leaves: true }
    expect(decideClaim(door, { store: sessions, rules }, { request, attempt: 'new' }, 0).verdict).toBe('undecided')
    expect(door.ready.size).toBe(1)
    expect(decideClaim(door, { store: sessions, rules }, { request, attempt: 'last' }, 0).verdict).toBe('none')
    expect(door.ready.size).toBe(0)
  })

  it('at a door without permits asks the room, unless the room has just granted none', () => {
    const { door, ask } = doorWith(0)
    expect(ask('a', 5)).toBe('undecided')
    receive(door, 0, null)
    expect(ask('a', 5, 0, 'last')).toBe('none')
    expect(ask('b', 6)).toBe('none')
    allowAsking(door)
    expect(ask('c', 7)).toBe('undecided')
  })

  it('of a visitor who is not called takes no permit of a closed room', () => {
    const { door, ask } = doorWith(3, 100)
    expect(ask('newcomer', 101)).toBe('none')
    expect(door.ready.size).toBe(0)
    expect(ask('called', 100)).toBe('admitted')
  })
})

describe('a place that is given up', () => {
  const leave = (
    door: DoorState,
    sessions: MemorySessions,
    sid: string,
    more: { takenMs?: number } = {},
    nowMs = 1_000,
  ) =>
    endEarly(door, { store: sessions, rules }, { sid, how: 'left', place: { key: 20, lane: 'main', ...more } }, nowMs)

  it('is never admitted, has no live session, and blocks no other visitor', () => {
    const { door, sessions, ask } = doorWith(0, 100)
    ask('gone', 20)
    expect(leave(door, sessions, 'gone')).toBe(true)
    expect([door.ready.has('gone'), sessions.live(1_000)]).toEqual([false, 0])
    receive(door, 1, 100, 1_000)
    expect(ask('gone', 20, 1_100)).toBe('ended')
    expect(ask('other', 30, 1_100)).toBe('admitted')
    expect(renewSession({ store: sessions, rules }, { sid: 'gone', protectMs: 0 }, 1_200)).toEqual({
      verdict: 'ended',
      again: null,
    })
  })

  it('is given up only once', () => {
    const { door, sessions } = doorWith(0, 100)
    expect(leave(door, sessions, 'gone')).toBe(true)
    expect(leave(door, sessions, 'gone')).toBe(false)
    expect(sessions.live(100_000)).toBe(0)
  })

  it('ends the session that has begun from this place', () => {
    const { door, sessions, ask } = doorWith(1, 100)
    expect(ask('in', 20)).toBe('admitted')
    expect(leave(door, sessions, 'in')).toBe(true)
    expect(sessions.get('in')?.ended).toBe('left')
    expect(sessions.live(11_000)).toBe(0)
  })

  it('lets its invited visitor take another place later', () => {
    const { door, sessions } = doorWith(2, 100)
    const ask = (takenMs: number, nowMs: number) =>
      decideClaim(
        door,
        { store: sessions, rules },
        { request: { sid: 'subject', key: 20, lane: 'main', generation: 1, takenMs }, attempt: 'new' },
        nowMs,
      )
    expect(leave(door, sessions, 'subject', { takenMs: 500 }, 1_000)).toBe(true)
    expect(ask(500, 2_000)).toEqual({ verdict: 'ended', again: null })
    expect(ask(2_500, 3_000)).toMatchObject({ verdict: 'admitted', sid: 'subject~1' })
  })
})

describe('usable permits', () => {
  it('are kept for the ready visitors with the oldest places', () => {
    const { door, ask } = doorWith(0, 100)
    ask('second', 20)
    ask('first', 10)
    ask('third', 30)
    receive(door, 2, 100)
    expect(ask('third', 30)).toBe('none')
    expect(ask('newer', 40)).toBe('none')
    expect(ask('second', 20)).toBe('admitted')
    expect(ask('first', 10)).toBe('admitted')
  })

  it('go to the next visitor when a ready one has not asked for three seconds', () => {
    const { door, ask } = doorWith(0, 100)
    ask('left', 10)
    ask('here', 20, 2_000)
    receive(door, 1, 100, 3_500)
    expect(ask('here', 20, 3_600)).toBe('admitted')
  })

  it('go to an older visitor who comes only now', () => {
    const { door, ask } = doorWith(0, 100)
    ask('a', 20)
    ask('b', 30)
    receive(door, 1, 100)
    expect(ask('late but older', 10)).toBe('admitted')
  })

  it('go back to the room after four unused seconds, and at once when the line is held', () => {
    const { door } = doorWith(5)
    expect(report(door, 0, '', 3_999).returned).toBe(0)
    expect(report(door, 0, '', 4_000).returned).toBe(5)
    const { door: other } = doorWith(5)
    receive(other, 0, null, 100, true)
    expect(report(other, 0, '', 101).returned).toBe(5)
  })

  it('that were granted to an earlier run of the door cannot be used', () => {
    const { door } = doorWith(0)
    const snapshot = door.snapshot as Snapshot
    applyReply(door, { epoch: 99, seq: 1, granted: 50, snapshot }, 0)
    expect(usable(door)).toBe(0)
  })

  it('are not doubled by a repeated or late answer', () => {
    const { door } = doorWith(0)
    const snapshot = door.snapshot as Snapshot
    applyReply(door, { epoch: 1, seq: 7, granted: 4, snapshot }, 0)
    applyReply(door, { epoch: 1, seq: 6, granted: 2, snapshot }, 0)
    applyReply(door, { epoch: 1, seq: 7, granted: 4, snapshot }, 0)
    expect(usable(door)).toBe(4)
  })
})

describe('a report', () => {
  it('counts the ready visitors, and each called visitor once', () => {
    const { door, ask } = doorWith(0, 100)
    ask('a', 20)
    ask('a', 20, 100)
    ask('b', 10, 100)
    const { demand, cells } = report(door, 7, '', 200)
    expect(demand).toMatchObject([{ lane: 'main', ready: 2, oldestKey: 10 }])
    expect(cells).toEqual({ 'shown/main': 2 })
  })

  it('passes on the counts of an edge once', () => {
    const { door } = doorWith(0)
    const edge = { isolate: 'i', version: '', seq: 1, base: 0, cells: { 'line/main/17': 3 } }
    applyEdgeReport(door, edge, 0)
    applyEdgeReport(door, edge, 0)
    expect(report(door, 0, '', 0).cells).toEqual({ 'line/main/17': 3 })
  })

  it('is counted once however many other isolates report before it is repeated', () => {
    const isolates = 10_000
    const step = fc.record({
      lost: fc.double({ min: 0, max: 1, noNaN: true }),
      laterMs: fc.integer({ min: 0, max: 60_000 }),
    })
    fc.assert(
      fc.property(step, fc.integer({ min: 1, max: isolates }), ({ lost, laterMs }, count) => {
        const door = newDoor('eu-0', 1, 0)
        const reportOf = (i: number, seq: number, base: number, people: number) =>
          applyEdgeReport(
            door,
            { isolate: `i${i}`, version: '', seq, base, cells: { minted: people } },
            seq === 1 ? 0 : laterMs,
          )
        for (let i = 0; i < count; i++) reportOf(i, 1, 0, 7)
        const unanswered = Math.floor(lost * count)
        // An isolate without an answer reports all its totals again, and one visitor more.
        for (let i = 0; i < count; i++) reportOf(i, 2, i < unanswered ? 0 : 1, i < unanswered ? 8 : 1)
        expect(Object.fromEntries(door.tally.entries())).toEqual({ minted: 8 * count })
      }),
      { numRuns: 10 },
    )
  })

  it('is remembered for longer than its isolate may repeat it, and not for ever', () => {
    const door = newDoor('eu-0', 1, 0)
    for (let i = 0; i < 100; i++)
      applyEdgeReport(door, { isolate: `i${i}`, version: '', seq: 1, base: 0, cells: {} }, i * 1_000)
    applyEdgeReport(door, { isolate: 'last', version: '', seq: 1, base: 0, cells: {} }, 150_000)
    expect([door.isolates.has('i29'), door.isolates.has('i30'), door.isolates.size]).toEqual([false, true, 71])
  })

  it('is due while the door has a permit, or has news for the room', () => {
    const { door, ask } = doorWith(1)
    receive(door, 0, null)
    expect(isActive(door, 0, 0)).toBe(true) // a permit is in hand
    ask('a', 5)
    expect(isActive(door, 1, 0)).toBe(true) // the room does not know of the session
    const { seq } = report(door, 1, '', 0)
    applyReply(door, { epoch: 1, seq, granted: 1, snapshot: door.snapshot as Snapshot }, 0)
    expect(isActive(door, 1, 0)).toBe(false)
    expect(isActive(door, 0, 0)).toBe(true) // a place came free
  })

  it('is due when an edge sends a visitor whose call this door has not received yet', () => {
    const { door, ask } = doorWith(0, 10)
    report(door, 0, '', 0)
    receive(door, 0, 10)
    expect(isActive(door, 0, 0)).toBe(false)
    expect(ask('a', 20)).toBe('none')
    expect(isActive(door, 0, 0)).toBe(true)
    receive(door, 1, 20)
    expect(ask('a', 20, 2_000)).toBe('admitted')
  })
})

describe('a renewal', () => {
  it('renews the session, and returns a lease that ends before the session does', () => {
    const { sessions, ask } = doorWith(1)
    ask('a', 5)
    expect(renewSession({ store: sessions, rules }, { sid: 'a', protectMs: 0 }, 1_000)).toEqual({
      verdict: 'live',
      expiresMs: 1_000 + 375_000,
      leaseMs: 10_000,
    })
  })

  it('of a session that ended a moment ago leads to the front of the line', () => {
    const { sessions, ask } = doorWith(1)
    ask('eu-0.a', 5)
    expect(renewSession({ store: sessions, rules }, { sid: 'eu-0.a', protectMs: 0 }, 60_000)).toEqual({
      verdict: 'ended',
      again: { sid: 'eu-0.a~1', key: 5, lane: 'main' },
    })
  })

  it('of a session that began from a place at the front does not give a second place at the front', () => {
    const { sessions, ask } = doorWith(2)
    ask('eu-0.a', 5)
    expect(ask('eu-0.a~1', 5, 60_000)).toBe('admitted')
    expect(renewSession({ store: sessions, rules }, { sid: 'eu-0.a~1', protectMs: 0 }, 120_000)).toEqual({
      verdict: 'ended',
      again: null,
    })
    expect(ask('eu-0.a', 5, 120_000)).toBe('ended')
  })

  it('decides by the current settings whether the session ends by time', () => {
    const { sessions, ask } = doorWith(1)
    ask('a', 5)
    const renewed = (more: Partial<SessionRules>, nowMs: number) => {
      renewSession({ store: sessions, rules: { ...rules, ...more } }, { sid: 'a', protectMs: 0 }, nowMs)
      return sessions.get('a')?.endsByTime
    }
    expect(renewed({}, 1_000)).toBe(false)
    expect(renewed({ renewal: false }, 2_000)).toBe(true)
    expect(renewed({}, 3_000)).toBe(false)
    expect(renewed({ sessionMaxMs: 100_000 }, 4_000)).toBe(true)
  })

  it('of an unknown session answers that it has ended', () => {
    const { sessions } = doorWith(1)
    expect(renewSession({ store: sessions, rules }, { sid: 'x', protectMs: 0 }, 0)).toEqual({
      verdict: 'ended',
      again: null,
    })
  })
})
