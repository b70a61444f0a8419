import { describe, expect, it } from 'vitest'
import { UNSOLVED_COUNTS_AFTER_MS, WORK, workAt } from '../../../src/core/place/challenge.ts'
import type { ChallengeRules, Outsider, RoomNow } from '../../../src/core/place/outsider.ts'
import { nextStep, pollAfter } from '../../../src/core/place/step.ts'
import type { WaitStep } from '../../../src/core/place/steps.ts'
import { eventLotOf, withPlace } from '../../../src/core/place/tickets.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import type { Ticket } from '../../../src/core/ticket.ts'
import { NOW, SNAPSHOT, TICKET, VISITOR, WINDOW } from './called-room.ts'

/** A ticket that comes back for the first time. */
const FRESH: Ticket = { ...TICKET, confirmed: false }

interface Case {
  readonly ticket?: Partial<Ticket>
  readonly visitor?: Partial<Outsider>
  readonly snapshot?: Partial<Snapshot>
  readonly rules?: Partial<ChallengeRules>
  readonly newcomers?: 'wait' | 'are rejected'
}

const rulesOf = ({ rules, newcomers = 'wait' }: Case) => ({
  claimWindowMs: WINDOW,
  missedGraceMs: 0,
  newcomers,
  inviteOnly: false,
  lanes: [],
  whenSoldOut: 'hold' as const,
  onRoomFailure: 'hold' as const,
  ratePerMinute: 120,
  challenge: { when: 'crowded' as const, failed: 'again' as const, ...rules },
})

function step(given: Case) {
  const room: RoomNow = {
    rules: rulesOf(given),
    snapshot: { ...SNAPSHOT, ...given.snapshot },
    hasFailed: false,
    isDoorEmpty: false,
  }
  return nextStep({ ...FRESH, ...given.ticket }, { ...VISITOR, ...given.visitor }, room, NOW)
}

const NEWCOMER = { issued: 'newcomer' } as const
const OPEN = { open: true, settledKey: NOW }
const setAgo = (ms: number) => ({ challenge: { state: 'set', sinceMs: NOW - ms } }) as const
const SOLVED = { challenge: { state: 'solved' } } as const

describe('a ticket with a challenge', () => {
  it('counts in the line once it is solved, and not before', () => {
    expect(step({})).toMatchObject({ why: 'unsolved', confirms: false, isUnsolved: true, ticket: { confirmed: false } })
    expect(step({ ticket: SOLVED })).toMatchObject({ why: 'not-called', confirms: true, isUnsolved: false })
  })

  it('keeps its place until it is solved', () => {
    expect(step({})).toMatchObject({ ticket: { sid: TICKET.sid, key: TICKET.key }, place: { position: null } })
  })

  it('needs no second solution once it was confirmed', () => {
    const confirmed = { confirmed: true }
    expect(step({ ticket: confirmed, rules: { when: 'always' } })).toMatchObject({ isUnsolved: false })
    const entry = { event: 'sale', draw: 1 }
    const counted = { ...FRESH, ...setAgo(70_000), entry, confirmed: true }
    const calledOff = { prequeue: null, draws: [], lastDraw: 1, counting: null }
    expect(withPlace(counted, calledOff, null, NOW)).toMatchObject({ confirmed: false, ...SOLVED })
  })

  it('claims once it is solved, and not before, when it is called', () => {
    const called = { key: NOW - 150_000 }
    expect(step({ ticket: called })).toMatchObject({ why: 'unsolved', ticket: { byMs: NOW + WINDOW } })
    expect(step({ ticket: { ...called, ...SOLVED } })).toMatchObject({ kind: 'claim' })
  })

  it('takes part in no draw until it is solved', () => {
    const entry = { event: 'sale', draw: 1 }
    const prequeue = { event: 'sale', draw: 1, fromMs: NOW - 60_000, startMs: NOW + 60_000 }
    const events = { prequeue, draws: [], lastDraw: 0, counting: null }
    const waiting = step({ ticket: { entry }, snapshot: { ...OPEN, events } })
    expect(waiting).toMatchObject({ why: 'unsolved', confirms: false })
    const drawn = { id: 1, seed: 's', fromKey: NOW, startMs: NOW }
    expect(eventLotOf({ ...FRESH, entry }, { ...events, draws: [drawn] } as never)).toBeNull()
  })

  it('is set with the ticket of a newcomer who has to wait', () => {
    const given = step({ ticket: { key: NOW }, visitor: NEWCOMER })
    expect(given).toMatchObject({ why: 'not-called', isUnsolved: true, ticket: setAgo(0) })
  })

  it('is not set for a newcomer of an open room, unless it is always set', () => {
    const given = { ticket: { key: NOW }, visitor: NEWCOMER, snapshot: OPEN }
    expect(step(given)).toMatchObject({ kind: 'claim' })
    expect(step({ ...given, rules: { when: 'always' } })).toMatchObject({ why: 'unsolved', isUnsolved: true })
    expect(step({ ...given, rules: { when: 'always' }, newcomers: 'are rejected' })).toMatchObject({ why: 'unsolved' })
  })

  it('is not set for a search engine, and in a room without challenges', () => {
    expect(step({ visitor: { isExempt: true } })).toMatchObject({ confirms: true })
    expect(step({ rules: { when: 'off' } })).toMatchObject({ confirms: true })
  })
})

describe('a ticket without a solution', () => {
  it('counts after a minute, when the quota of its network allows that', () => {
    const late = { ticket: setAgo(UNSOLVED_COUNTS_AFTER_MS) }
    expect(step({ ticket: setAgo(UNSOLVED_COUNTS_AFTER_MS - 1) })).toMatchObject({ why: 'unsolved' })
    expect(step(late)).toEqual({ kind: 'charge-unsolved' })
    expect(step({ ...late, visitor: { unsolvedDelayMs: 0 } })).toMatchObject({ confirms: true })
    const held = step({ ...late, visitor: { unsolvedDelayMs: 30_000 } })
    expect(held).toMatchObject({ why: 'unsolved', confirms: false, delayMs: 30_000 })
  })

  it('keeps the time at which its challenge was set', () => {
    expect(step({ ticket: setAgo(20_000) })).toMatchObject({ ticket: setAgo(20_000) })
    expect(step({ ticket: { ...setAgo(20_000), key: NOW - 150_000 } })).toMatchObject({ ticket: setAgo(20_000) })
  })

  it('needs no solution any more if its network delays it after that minute', () => {
    const late = { ticket: setAgo(UNSOLVED_COUNTS_AFTER_MS), visitor: { unsolvedDelayMs: 0, delayMs: 5_000 } }
    expect(step(late)).toMatchObject({ why: 'network-quota', delayMs: 5_000, ticket: SOLVED })
  })

  it('loses its claim window when the frontier has stepped back', () => {
    expect(step({ ticket: { byMs: NOW + 1_000, issuedMs: NOW - 200_000 } })).toMatchObject({ ticket: { byMs: null } })
  })

  it('that is called when it may count is treated as solved from then on', () => {
    const called = { ...setAgo(UNSOLVED_COUNTS_AFTER_MS), key: NOW - 150_000 }
    expect(step({ ticket: called, visitor: { unsolvedDelayMs: 0 } })).toMatchObject({ kind: 'claim', ticket: SOLVED })
  })

  it('asks again after ten seconds', () => {
    const waits = step({}) as WaitStep
    expect(pollAfter(waits, rulesOf({}), NOW, 0.5)).toBe(10_000)
  })
})

describe('a ticket with a wrong solution', () => {
  const failed = { challenge: { state: 'failed' } } as const

  it('never moves if the room sets `failed` to infinite, not even when it is called or has missed its turn', () => {
    for (const key of [NOW - 50_000, NOW - 150_000, NOW - 450_000])
      expect(step({ ticket: { ...failed, key }, rules: { failed: 'infinite' } })).toMatchObject({
        why: 'failed-challenge',
        confirms: false,
        delayMs: 30_000,
      })
  })

  it('may be solved in any other room, and counts in a room without challenges', () => {
    expect(step({ ticket: failed })).toMatchObject({ why: 'unsolved', isUnsolved: true })
    expect(step({ ticket: failed, rules: { when: 'off', failed: 'infinite' } })).toMatchObject({ confirms: true })
  })
})

describe('the work of a challenge', () => {
  const lanes = (people: number) => ({
    main: { frontierKey: 0, lapsedKey: 0, calledAhead: 0, curve: [0, 0, 1, people], speed: null },
  })

  it('grows with the people in line, within its bounds', () => {
    expect([0, 1_000, 2_500, 4_000, 1_000_000].map(people => workAt({ lanes: lanes(people) }))).toEqual([
      WORK.least,
      1_000,
      2_500,
      4_000,
      WORK.most,
    ])
  })
})
