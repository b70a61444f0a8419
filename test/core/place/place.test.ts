import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beforeLapse, likelyMsOf, pollAfterMs } from '../../../src/core/place/estimate.ts'
import { nextPollMs } from '../../../src/core/place/next-poll.ts'
import { frontFor, isUndrawn, othersCalled, placeOf, refused, seen } from '../../../src/core/place/place.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import type { Ticket } from '../../../src/core/ticket.ts'
import { NOW, SNAPSHOT, TICKET, WINDOW } from './called-room.ts'

function ticket(more: Partial<Ticket> = {}): Ticket {
  return { ...TICKET, ...more }
}

const place = (more: Partial<Ticket> = {}, room: Snapshot = SNAPSHOT, nowMs = NOW) =>
  placeOf(ticket(more), room, WINDOW, nowMs)

describe('a place', () => {
  it.each(['constructor', '__proto__', 'toString'])(
    'in a missing lane named %s is like one in any other missing lane',
    lane => {
      expect(place({ lane })).toEqual(place({ lane: 'vip' }))
      expect(frontFor({ key: NOW, lane }, SNAPSHOT)).toEqual({ key: NOW - 100_000, lane: 'main' })
    },
  )

  it('is the number of people ahead plus one', () => {
    expect(place()).toMatchObject({ state: 'waiting', ahead: 50, position: 51, wait: { likelyMs: 25_000 } })
  })

  it('of a called visitor comes with the number of other called visitors, where the room knows it', () => {
    const among = (calledAhead: number) => {
      const lane = { ...SNAPSHOT.lanes.main, calledAhead } as Snapshot['lanes'][string]
      return othersCalled(ticket({ key: NOW - 100_001 }), { ...SNAPSHOT, lanes: { main: lane } })
    }
    expect([0, 1, 3.6].map(among)).toEqual([0, 0, 3])
    expect(othersCalled(ticket(), { ...SNAPSHOT, lanes: {} })).toBeNull()
  })

  it('has no number until its moment is five seconds old and its ticket confirmed', () => {
    expect(place({ key: NOW - 4_900 })).toMatchObject({ state: 'waiting', position: null })
    expect(place({ confirmed: false })).toMatchObject({ state: 'waiting', position: null })
  })

  it('has a wait that rises by less than a tenth per poll, unless the visitor sees a reason', () => {
    const likely = (more: Partial<Ticket>, room: Snapshot = SNAPSHOT) => {
      const { wait } = place({ key: NOW - 10_000, ...more }, room) as { wait: { likelyMs: number } }
      return wait.likelyMs
    }
    expect(likely({})).toBe(45_000)
    expect(likely({ waitMs: 40_000 })).toBe(42_800)
    expect(likely({ waitMs: 44_000 })).toBe(45_000)
    expect(likely({ waitMs: 90_000 })).toBe(45_000)
    // The page shows all waits up to half a minute alike.
    expect(likely({ waitMs: 5_000 })).toBe(30_000)
    expect(likely({ waitMs: 40_000 }, { ...SNAPSHOT, slowed: 'rate' })).toBe(45_000)
  })

  it('never shows a higher position than before', () => {
    expect(place({ low: 30 })).toMatchObject({ position: 30 })
    expect(place({ low: 80 })).toMatchObject({ position: 51 })
  })

  it('is called at or before the frontier, and always in an open room', () => {
    expect(place({ key: NOW - 100_000 })).toEqual({ state: 'called' })
    expect(place({ key: NOW - 99_999 }).state).toBe('waiting')
    expect(place({}, { ...SNAPSHOT, open: true })).toEqual({ state: 'called' })
  })

  it('is missed when the call is older than the claim window and its visitor never saw the call', () => {
    expect(place({ key: NOW - 400_000 })).toEqual({ state: 'missed' })
    expect(place({ key: NOW - 399_999 })).toEqual({ state: 'called' })
  })

  it('is missed after its claim window, and not before', () => {
    expect(place({ key: NOW - 200_000, byMs: NOW + 1 })).toEqual({ state: 'called' })
    expect(place({ key: NOW - 200_000, byMs: NOW - 1 })).toEqual({ state: 'missed' })
  })

  it('cannot be missed before it is called, whatever the ticket contains', () => {
    expect(place({ byMs: NOW - 1 }).state).toBe('waiting')
  })

  it('follows a claim window that was shortened meanwhile', () => {
    const old = { key: NOW - 200_000, byMs: NOW + 3_600_000, issuedMs: NOW - 302_000 }
    expect(place(old)).toEqual({ state: 'missed' })
  })

  it('has no wait while the line is held or does not move', () => {
    expect(place({}, { ...SNAPSHOT, held: true })).toMatchObject({ wait: null })
    expect(likelyMsOf(10, 0)).toBeNull()
  })
})

describe('a ticket that is seen', () => {
  it('is confirmed by coming back, and keeps the lowest position', () => {
    const before = ticket({ confirmed: false })
    const after = seen(before, placeOf(before, SNAPSHOT, WINDOW, NOW), WINDOW, NOW)
    expect(after).toMatchObject({ confirmed: true, low: null, byMs: null })
    expect(seen(after, placeOf(after, SNAPSHOT, WINDOW, NOW), WINDOW, NOW)).toMatchObject({ low: 51 })
  })

  it('gets a claim window when it is called, once', () => {
    const called = ticket({ key: NOW - 200_000 })
    const first = seen(called, { state: 'called' }, WINDOW, NOW)
    expect(first.byMs).toBe(NOW + WINDOW)
    expect(seen(first, { state: 'called' }, WINDOW, NOW + 60_000).byMs).toBe(NOW + WINDOW)
  })

  it('gets a new claim window when a claim is refused, because its visitor is present', () => {
    const called = ticket({ key: NOW - 200_000, byMs: NOW + 5 })
    expect(refused(called, SNAPSHOT, WINDOW, NOW).byMs).toBe(NOW + WINDOW)
  })

  it('has no claim window when the room closed before it was called', () => {
    expect(refused(ticket(), SNAPSHOT, WINDOW, NOW).byMs).toBeNull()
  })

  it('is the same object when nothing changed, so that nothing is signed without need', () => {
    const same = ticket({ low: 51, waitMs: 25_000 })
    expect(seen(same, placeOf(same, SNAPSHOT, WINDOW, NOW), WINDOW, NOW)).toBe(same)
    const later = seen(same, placeOf(same, SNAPSHOT, WINDOW, NOW), WINDOW, NOW + 20_001)
    expect(later).not.toBe(same)
  })
})

describe('the next poll', () => {
  it('comes after a quarter to a third of the wait, between 2 s and 5 min', () => {
    expect([0, 0.5, 1].map(random => Math.round(pollAfterMs(1_200, 2, 2, random)))).toEqual([150_000, 175_000, 200_000])
    expect([0, 0.5, 1].map(random => pollAfterMs(10_000, 2, 2, random))).toEqual([240_000, 270_000, 300_000])
    expect([0, 0.5].map(random => pollAfterMs(0, 2, 2, random))).toEqual([1_600, 2_000])
  })

  it('comes within the claim window, before an unseen call would lapse, and not at the same time for all', () => {
    expect([0, 1].map(random => beforeLapse(300_000, 300_000, 0, random))).toEqual([192_000, 240_000])
    expect([0, 1].map(random => beforeLapse(300_000, 300_000, 120_000, random))).toEqual([240_000, 300_000])
    expect([0, 1].map(random => beforeLapse(300_000, 6_000, 120_000, random))).toEqual([4_800, 6_000])
  })

  it('comes within five seconds at the front of a line that does not move, and within a minute behind it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (ahead, random) => {
        expect(pollAfterMs(ahead, 0, 2, random)).toBeLessThanOrEqual(5_000)
      }),
    )
    expect([150, 400, 900].map(ahead => pollAfterMs(ahead, 0, 0, 0.5))).toEqual([15_000, 40_000, 60_000])
    expect(pollAfterMs(900, 0, 100, 0.999)).toBeLessThanOrEqual(5_000)
  })

  it('comes ever later in a line that is held, up to ten seconds at the front', () => {
    const nextIn = (heldForMs: number, more: Partial<Ticket> = {}) => {
      const held = { ...SNAPSHOT, held: true, heldSinceMs: NOW - heldForMs }
      const one = ticket({ low: 11, ...more })
      return nextPollMs(one, placeOf(one, held, WINDOW, NOW), held, { nowMs: NOW, random: 0.5 })
    }
    expect([0, 300_000, 600_000, 9_000_000].map(heldForMs => nextIn(heldForMs))).toEqual([4_000, 5_000, 10_000, 10_000])
    // A visitor who was called before the hold, and whose claim is refused, counts as present by asking often.
    expect(nextIn(600_000, { key: NOW - 100_001 })).toBe(2_000)
  })

  it('comes soon for a new ticket, so that it is counted and gets its number', () => {
    const far = ticket({ key: NOW - 1_000, confirmed: false })
    expect(
      nextPollMs(far, placeOf(far, SNAPSHOT, WINDOW, NOW), SNAPSHOT, { nowMs: NOW, random: 0.5 }),
    ).toBeLessThanOrEqual(2_400)
    const counted = { ...far, confirmed: true }
    expect(
      nextPollMs(counted, placeOf(counted, SNAPSHOT, WINDOW, NOW), SNAPSHOT, { nowMs: NOW, random: 0.5 }),
    ).toBeLessThanOrEqual(5_000)
  })
})

describe('a place that is drawn', () => {
  const draw = { fromKey: NOW - 50_000, untilMs: NOW + 10_000, kid: 'one' }
  const drawing: Snapshot = { ...SNAPSHOT, batches: { fromMs: 0, windowMs: 60_000 }, settledKey: NOW - 50_000.001 }
  const undrawn = ticket({ key: NOW - 20_000, draw })

  it('is not known before its batch has ended and been counted, although its key lies in the past', () => {
    const shown = placeOf(undrawn, drawing, WINDOW, NOW)
    expect(shown).toMatchObject({ state: 'waiting', position: null, drawnMs: NOW + 15_000 })
    expect(isUndrawn(shown)).toBe(true)
    expect(seen(undrawn, shown, WINDOW, NOW).draw).toEqual(draw)
  })

  it('is known afterwards, and the ticket may contain it', () => {
    const later = { ...drawing, asOfMs: NOW + 15_000, settledKey: NOW + 9_999.999 }
    const shown = placeOf(undrawn, later, WINDOW, NOW + 15_000)
    expect(shown).toMatchObject({ state: 'waiting', position: 81, drawnMs: null })
    expect(seen(undrawn, shown, WINDOW, NOW + 15_000)).toMatchObject({ draw: null, low: 81 })
  })

  it('is polled after the draw, at a time that reveals nothing about the place', () => {
    for (const random of [0, 0.5, 0.999]) {
      const first = nextPollMs(undrawn, placeOf(undrawn, drawing, WINDOW, NOW), drawing, { nowMs: NOW, random })
      const last = { ...undrawn, key: NOW + 9_000 }
      expect(nextPollMs(last, placeOf(last, drawing, WINDOW, NOW), drawing, { nowMs: NOW, random })).toBe(first)
      expect(first).toBeGreaterThanOrEqual(16_000)
      expect(first).toBeLessThanOrEqual(20_000)
    }
    const fresh = { ...undrawn, confirmed: false }
    expect(nextPollMs(fresh, placeOf(fresh, drawing, WINDOW, NOW), drawing, { nowMs: NOW, random: 0.5 })).toBe(2_000)
  })

  it('is at the front for a visitor whose session has just ended', () => {
    expect(frontFor({ key: NOW - 20_000, lane: 'main' }, drawing).key).toBe(NOW - 100_000)
    expect(frontFor({ key: NOW - 170_000, lane: 'main' }, drawing).key).toBe(NOW - 170_000)
  })
})
