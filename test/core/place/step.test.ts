/** Every outcome of the decision about a visitor without a pass, each with every reason that it can have. */
import { describe, expect, it } from 'vitest'
import { type AfterClaim, afterClaim, type ClaimRefusal, ticketAgain } from '../../../src/core/place/after-claim.ts'
import { UNSOLVED_COUNTS_AFTER_MS } from '../../../src/core/place/challenge.ts'
import {
  type Outsider,
  passesThrough,
  type RoomNow,
  type StepRules,
  type WhyIssued,
} from '../../../src/core/place/outsider.ts'
import { nextStep, pollAfter, SHORT_RETRY_MS } from '../../../src/core/place/step.ts'
import type { ClaimStep, Step, WaitStep, WhyRejected, WhyWaiting } from '../../../src/core/place/steps.ts'
import { transferIdOf } from '../../../src/core/place/transfer.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import type { Ticket } from '../../../src/core/ticket.ts'
import { NOW, SNAPSHOT, TICKET, VISITOR, WINDOW } from './called-room.ts'

const RULES: StepRules = {
  claimWindowMs: WINDOW,
  missedGraceMs: 120_000,
  newcomers: 'wait',
  inviteOnly: false,
  lanes: [{ name: 'vip' }],
  whenSoldOut: 'hold',
  onRoomFailure: 'hold',
  ratePerMinute: 120,
  challenge: { when: 'off', failed: 'again' },
}
const ROOM: RoomNow = { rules: RULES, snapshot: SNAPSHOT, hasFailed: false, isDoorEmpty: false }
const CALLED = { key: NOW - 150_000 }
const MISSED = { key: NOW - 450_000 }

/** The differences from the visitor, the ticket and the room above. */
interface Case {
  readonly ticket?: Partial<Ticket> | null
  readonly visitor?: Partial<Outsider>
  readonly snapshot?: Partial<Snapshot> | null
  readonly rules?: Partial<StepRules>
  readonly room?: Partial<RoomNow>
}

function step({ ticket, visitor, snapshot, rules, room }: Case): Step {
  return nextStep(
    ticket === null ? null : { ...TICKET, ...ticket },
    { ...VISITOR, ...visitor },
    {
      ...ROOM,
      rules: { ...RULES, ...rules },
      snapshot: snapshot === null ? null : { ...SNAPSHOT, ...snapshot },
      ...room,
    },
    NOW,
  )
}

/** A newcomer with the ticket of this very request. */
const newcomer = { issued: 'newcomer' } as const
const newTicket = { key: NOW, confirmed: false, issuedMs: NOW }
const rejecting = { newcomers: 'are rejected' } as const
const challenging = { challenge: { when: 'crowded', failed: 'again' } } as const
const endless = { when: 'crowded', failed: 'infinite' } as const
const draw = { fromKey: NOW - 60_000, untilMs: NOW + 60_000, kid: 'k' }
const prequeue = { event: 'sale', draw: null, fromMs: NOW - 60_000, startMs: NOW + 60_000 }
const beforeStart = { events: { prequeue, draws: [], lastDraw: 0, counting: null } }

type OfClaim = 'no-permit' | 'no-answer'

const REJECTED: Readonly<Record<Exclude<WhyRejected, OfClaim>, Case>> = {
  uninvited: { ticket: null, rules: { inviteOnly: true } },
  'invalid-invitation': { ticket: null, visitor: { invitation: 'invalid' }, rules: { inviteOnly: true } },
  'sold-out': { snapshot: { soldOut: true }, rules: { whenSoldOut: 'reject' } },
  'rejects-newcomers': { ticket: newTicket, visitor: newcomer, rules: rejecting },
  'no-snapshot': { ticket: null, snapshot: null, rules: rejecting },
  'network-quota': {
    ticket: newTicket,
    visitor: { ...newcomer, delayMs: 2_000 },
    snapshot: { open: true },
    rules: rejecting,
  },
  transferred: { snapshot: { transferred: { [transferIdOf(TICKET)]: 1 } } },
}

const WAITING: Readonly<Record<Exclude<WhyWaiting, 'no-answer'>, Case>> = {
  'no-snapshot': { snapshot: null },
  missed: { ticket: newTicket, visitor: { issued: 'missed' } },
  'changed-lane': { ticket: { ...newTicket, lane: 'vip' }, visitor: { issued: 'changed-lane' } },
  'before-start': { ticket: newTicket, visitor: newcomer, snapshot: beforeStart },
  undrawn: { ticket: { draw, key: NOW + 10_000 } },
  'sold-out': { snapshot: { held: true, soldOut: true } },
  held: { snapshot: { held: true } },
  'in-debt': { ticket: { key: NOW + 60_000 }, snapshot: { open: true, settledKey: NOW + 60_000 } },
  'not-called': {},
  called: { ticket: CALLED, visitor: { purpose: 'poll' } },
  requeued: { ticket: CALLED, visitor: { purpose: 'requeued' } },
  'no-permit': { snapshot: { open: true, settledKey: NOW }, room: { isDoorEmpty: true } },
  'network-quota': { ticket: { confirmed: false }, visitor: { delayMs: 2_000 } },
  unsolved: { ticket: { confirmed: false }, rules: challenging },
  'failed-challenge': { ticket: { challenge: { state: 'failed' } }, rules: { challenge: endless } },
}

const ISSUED: Readonly<Record<WhyIssued, Case>> = {
  newcomer: { ticket: null },
  missed: { ticket: MISSED },
  'changed-lane': { visitor: { invitation: 'valid', invitedTo: 'vip' } },
}

const KINDS: Readonly<Record<Step['kind'], Case>> = {
  reject: REJECTED.uninvited,
  wait: {},
  claim: { ticket: CALLED },
  issue: ISSUED.newcomer,
  'charge-network': { ticket: { confirmed: false }, visitor: { delayMs: null } },
  'charge-unsolved': {
    ticket: { confirmed: false, challenge: { state: 'set', sinceMs: NOW - UNSOLVED_COUNTS_AFTER_MS } },
    rules: challenging,
  },
  'admit-locally': { rules: { onRoomFailure: 'admit' }, room: { hasFailed: true } },
}

const rows = <Why extends string>(table: Readonly<Record<Why, Case>>) => Object.entries(table) as [Why, Case][]

describe('the next step of a visitor without a pass', () => {
  it.each(rows(KINDS))('can be to %s', (kind, given) => {
    expect(step(given).kind).toBe(kind)
  })

  it.each(rows(REJECTED))('is to be rejected, with the reason %s', (why, given) => {
    expect(step(given)).toEqual({ kind: 'reject', why })
  })

  it.each(rows(WAITING))('is to wait, with the reason %s', (why, given) => {
    expect(step(given)).toMatchObject({ kind: 'wait', why })
  })

  it.each(rows(ISSUED))('is to get a ticket, with the reason %s', (why, given) => {
    expect(step(given)).toMatchObject({ kind: 'issue', why })
  })
})

describe('a visitor who waits', () => {
  it('is shown a place and keeps the ticket with the lowest position', () => {
    expect(step({})).toMatchObject({ place: { ahead: 50, position: 51 }, ticket: { sid: 'eu-0.a', low: 51 } })
  })

  it('is confirmed when the ticket comes back', () => {
    expect(step({ ticket: { confirmed: false } })).toMatchObject({ confirms: true, ticket: { confirmed: true } })
    expect(step({})).toMatchObject({ confirms: false })
  })

  it('is not confirmed with a ticket of this very request', () => {
    const given = { ticket: newTicket, visitor: newcomer }
    expect(step(given)).toMatchObject({ kind: 'wait', confirms: false, ticket: { confirmed: false } })
  })

  it('keeps the place of its ticket while no door has answered', () => {
    const given = step({ ticket: { low: 7 }, snapshot: null })
    expect(given).toMatchObject({ ticket: { low: 7 }, place: { position: 7 }, snapshot: null, confirms: false })
  })

  it('is shown no place while its network is delayed', () => {
    const given = step({ ticket: { confirmed: false, low: 7 }, visitor: { delayMs: 2_000 } })
    expect(given).toMatchObject({ delayMs: 2_000, place: { ahead: 0, position: null }, confirms: false })
  })

  it('keeps the turn when called while its network is delayed', () => {
    const given = step({ ticket: { ...CALLED, confirmed: false }, visitor: { delayMs: 2_000 } })
    expect(given).toMatchObject({ kind: 'wait', why: 'network-quota', ticket: { byMs: NOW + WINDOW } })
  })

  it('learns until when the place can be claimed, once called', () => {
    expect(step({ ticket: CALLED, visitor: { purpose: 'poll' } })).toMatchObject({ ticket: { byMs: NOW + WINDOW } })
  })

  it('of an empty door gets a snapshot of a closed room', () => {
    const given = step({ snapshot: { open: true }, room: { isDoorEmpty: true } })
    expect(given).toMatchObject({ kind: 'wait', snapshot: { open: false, lanes: {} } })
  })

  it('of an empty door keeps the claim window, whether the challenge is solved or not', () => {
    const given = { ticket: { byMs: NOW + 5_000 }, snapshot: { open: true }, room: { isDoorEmpty: true } }
    const wanted = { kind: 'wait', ticket: { byMs: NOW + 5_000 } }
    expect(step(given)).toMatchObject(wanted)
    expect(step({ ...given, ticket: { ...given.ticket, confirmed: false }, rules: challenging })).toMatchObject(wanted)
  })
})

describe('a network', () => {
  it('is charged for a newcomer only when the newcomer is called at once', () => {
    const charged = { ...newcomer, delayMs: null }
    expect(step({ ticket: newTicket, visitor: charged, snapshot: { open: true } }).kind).toBe('charge-network')
    expect(step({ ticket: newTicket, visitor: charged }).kind).toBe('wait')
  })

  it('is not charged for a ticket that was confirmed before', () => {
    expect(step({ visitor: { delayMs: null } }).kind).toBe('wait')
    expect(step({ ticket: CALLED, visitor: { delayMs: null } }).kind).toBe('claim')
  })
})

describe('a claim', () => {
  it.each([
    { purpose: 'enter', claims: 0, kind: 'claim' },
    { purpose: 'enter', claims: 1, kind: 'claim' },
    { purpose: 'enter', claims: 2, kind: 'wait' },
    { purpose: 'claim', claims: 0, kind: 'claim' },
    { purpose: 'claim', claims: 1, kind: 'wait' },
    { purpose: 'poll', claims: 0, kind: 'wait' },
    { purpose: 'requeued', claims: 0, kind: 'wait' },
  ] as const)('leads to $kind for the purpose $purpose after $claims claims', ({ purpose, claims, kind }) => {
    expect(step({ ticket: CALLED, visitor: { purpose, claims } }).kind).toBe(kind)
  })

  it('is the step of a newcomer in an open room', () => {
    const given = step({ ticket: newTicket, visitor: newcomer, snapshot: { open: true } })
    expect(given).toMatchObject({ kind: 'claim', issued: 'newcomer', leaves: false })
  })

  it('leaves no place behind for a newcomer in a room that rejects newcomers', () => {
    const open = { snapshot: { open: true }, rules: rejecting }
    expect(step({ ticket: newTicket, visitor: newcomer, ...open })).toMatchObject({ kind: 'claim', leaves: true })
    expect(step({ ...open })).toMatchObject({ kind: 'claim', leaves: false })
  })
})

describe('a ticket', () => {
  const invited = { invitation: 'valid', invitedTo: 'vip' } as const

  it('is issued in the main lane, or in the lane of an invitation', () => {
    expect(step({ ticket: null })).toMatchObject({ lane: 'main', behindMs: 0 })
    expect(step({ ticket: null, visitor: invited })).toMatchObject({ lane: 'vip' })
    expect(step({ ticket: null, visitor: { ...invited, invitedTo: 'gone' } })).toMatchObject({ lane: 'main' })
  })

  it('is issued further behind after a session that a policy has ended', () => {
    const visitor = { purpose: 'requeued', behindMs: 60_000 } as const
    expect(step({ ticket: null, visitor })).toMatchObject({ kind: 'issue', behindMs: 60_000 })
  })

  it('is issued while no door has answered', () => {
    expect(step({ ticket: null, snapshot: null })).toMatchObject({ kind: 'issue', why: 'newcomer' })
  })

  it.each([
    ['its visitor is called', { ticket: CALLED, visitor: { ...invited, purpose: 'poll' } }],
    ['the room rejects newcomers', { visitor: invited, rules: rejecting }],
    ['the cookie must stay', { visitor: { ...invited, keepsCookie: true } }],
    ['the lane of the invitation does not exist', { visitor: { ...invited, invitedTo: 'gone' } }],
    ['it is in the lane of the invitation', { ticket: { lane: 'vip' }, visitor: invited }],
  ] as const)('keeps its lane when %s', (_, given) => {
    expect(step(given).kind).toBe('wait')
  })

  it('that was missed is replaced only for an invited visitor in a room for invited visitors', () => {
    const rules = { inviteOnly: true }
    expect(step({ ticket: MISSED, rules })).toEqual({ kind: 'reject', why: 'uninvited' })
    expect(step({ ticket: MISSED, rules, visitor: { invitation: 'valid' } }).kind).toBe('issue')
    expect(step({ rules }).kind).toBe('wait')
  })

  it('keeps its visitor in a room that rejects newcomers', () => {
    expect(step({ rules: rejecting })).toMatchObject({ kind: 'wait', why: 'not-called' })
    expect(step({ rules: rejecting, snapshot: null })).toMatchObject({ kind: 'wait', why: 'no-snapshot' })
  })
})

describe('a room that cannot be reached', () => {
  const failed = { rules: { onRoomFailure: 'admit' }, room: { hasFailed: true } } as const

  it('has each isolate admit a tenth of its rate', () => {
    expect(step(failed)).toEqual({ kind: 'admit-locally', quota: { intervalMs: 5_000, burst: 1 } })
    expect(step({ ...failed, snapshot: null, ticket: null }).kind).toBe('admit-locally')
  })

  it('still admits one visitor a minute when a tenth of the rate is less than one', () => {
    const slow = step({ ...failed, rules: { ...failed.rules, ratePerMinute: 4 } })
    expect(slow).toMatchObject({ quota: { intervalMs: 60_000 } })
  })

  it.each([
    ['the operator has chosen to hold', { ...failed, rules: { onRoomFailure: 'hold' } }],
    ['it has been out of reach for a short time only', { ...failed, room: { hasFailed: false } }],
    ['nothing is left', { ...failed, snapshot: { soldOut: true } }],
    ['it is held', { ...failed, rules: { ...failed.rules, ratePerMinute: 0 } }],
    ['this isolate has admitted its share', { ...failed, visitor: { isLocalSpent: true } }],
    ['the request only looks', { ...failed, visitor: { purpose: 'poll' } }],
  ] as const)('holds its visitors when %s', (_, given) => {
    expect(step(given).kind).toBe('wait')
  })
})

describe('the refusal of a claim', () => {
  const claim: ClaimStep = {
    kind: 'claim',
    ticket: { ...TICKET, ...CALLED },
    place: { state: 'called' },
    snapshot: SNAPSHOT,
    issued: null,
    leaves: false,
  }
  const again = { sid: 'eu-0.a~1', key: NOW - 200_000, lane: 'main' }
  const decide = (answer: ClaimRefusal, more: Partial<ClaimStep> = {}): AfterClaim =>
    afterClaim({ ...claim, ...more }, answer, RULES, NOW)

  const ANSWERS: Readonly<Record<ClaimRefusal['verdict'], { answer: ClaimRefusal; kind: AfterClaim['kind'] }>> = {
    none: { answer: { verdict: 'none' }, kind: 'wait' },
    ended: { answer: { verdict: 'ended', again }, kind: 'retry' },
    unreachable: { answer: { verdict: 'unreachable' }, kind: 'wait' },
  }
  const WHY: Readonly<Record<OfClaim, ClaimRefusal>> = {
    'no-permit': { verdict: 'none' },
    'no-answer': { verdict: 'unreachable' },
  }

  it.each(Object.entries(ANSWERS))('%s decides how the visitor goes on', (_, { answer, kind }) => {
    expect(decide(answer).kind).toBe(kind)
  })

  it.each(Object.entries(WHY))('lets a visitor wait or leave with the reason %s', (why, answer) => {
    expect(decide(answer)).toMatchObject({ kind: 'wait', why, ticket: { byMs: NOW + WINDOW } })
    expect(decide(answer, { leaves: true })).toEqual({ kind: 'reject', why })
  })

  it('shows no place to a refused visitor beyond the frontier', () => {
    const ticket = { ...TICKET, byMs: NOW + 1_000 }
    expect(decide({ verdict: 'none' }, { ticket })).toMatchObject({
      ticket: { byMs: null },
      place: { state: 'waiting', ahead: 0, position: null, wait: null },
    })
  })

  it('gives the place at the front, or none, to a visitor whose session has ended', () => {
    expect(decide({ verdict: 'ended', again })).toEqual({
      kind: 'retry',
      ticket: ticketAgain(again, { room: 'shop', snapshot: SNAPSHOT, rules: RULES }, NOW),
    })
    expect(decide({ verdict: 'ended', again: null })).toEqual({ kind: 'retry', ticket: null })
  })
})

describe('a visitor who missed the turn by less than the grace', () => {
  const late = { ...CALLED, byMs: NOW - 119_000, issuedMs: NOW - 300_000 }

  it('claims at once, or stands at the front with another claim window', () => {
    const again = { excused: true, byMs: NOW + WINDOW, sid: TICKET.sid, key: CALLED.key }
    expect(step({ ticket: late })).toMatchObject({ kind: 'claim', ticket: again })
    expect(step({ ticket: late, visitor: { purpose: 'poll' } })).toMatchObject({
      kind: 'wait',
      why: 'called',
      ticket: again,
    })
  })

  it.each([
    ['a second time', { ...late, excused: true }, {}],
    ['later than that', { ...late, byMs: NOW - 121_000 }, {}],
    ['without such a grace', late, { missedGraceMs: 0 }],
    ['without having learnt of the turn', MISSED, {}],
  ] as const)('gets a new place %s', (_, ticket, rules) => {
    expect(step({ ticket, rules })).toEqual({ kind: 'issue', why: 'missed', lane: 'main', behindMs: 0 })
  })
})

describe('a place at the front', () => {
  it('belongs to the next session of its visitor, and can be claimed for one claim window', () => {
    const again = { sid: 'eu-0.a~1', key: NOW - 200_000, lane: 'vip' }
    const at = { room: 'shop', snapshot: SNAPSHOT, rules: RULES }
    const ticket = { sid: again.sid, key: again.key, byMs: NOW + WINDOW, confirmed: false }
    // The lane is removed in this snapshot.
    expect(ticketAgain(again, at, NOW)).toMatchObject({ ...ticket, lane: 'main', generation: 1 })
    expect(ticketAgain(again, { ...at, snapshot: null }, NOW)).toMatchObject({ ...ticket, lane: 'vip', generation: 0 })
  })
})

describe('the next poll', () => {
  const waits = (given: Case) => step(given) as WaitStep
  const poll = (waiting: WaitStep, rules = RULES) => pollAfter(waiting, rules, NOW, 0.5)

  it('comes shortly while no door has answered', () => {
    expect(poll(waits({ snapshot: null }))).toBe(SHORT_RETRY_MS)
    expect(pollAfter(waits({ snapshot: null }), RULES, NOW, 0)).toBe(SHORT_RETRY_MS * 0.8)
  })

  it('does not come before the delay of a network is over', () => {
    expect(poll(waits({ ticket: { confirmed: false }, visitor: { delayMs: 50_000 } }))).toBe(50_000)
  })

  it('comes within the claim window', () => {
    const short = { ...RULES, claimWindowMs: 1_500, missedGraceMs: 1_000 }
    expect(poll(waits({}))).toBeGreaterThan(2_000)
    expect([0, 1].map(random => pollAfter(waits({}), short, NOW, random))).toEqual([1_200, 1_500])
  })
})

describe('a room that lets newcomers through', () => {
  const through = { newcomers: 'pass through', inviteOnly: false } as const
  const invited = { newcomers: 'pass through', inviteOnly: true } as const

  it.each([
    ['lets a newcomer through', null, 'none', through, true],
    ['lets an invited newcomer through where an invitation is needed', null, 'valid', invited, true],
    ['lets a visitor with a ticket through where an invitation is needed', TICKET, 'none', invited, true],
    ['does not let an uninvited newcomer through where an invitation is needed', null, 'none', invited, false],
    ['does not let a visitor with an invalid invitation through', null, 'invalid', invited, false],
    ['is one whose newcomers do not wait', null, 'valid', { newcomers: 'wait', inviteOnly: false }, false],
  ] as const)('%s', (_, ticket, invitation, rules, passes) => {
    expect(passesThrough(ticket, { invitation }, rules)).toBe(passes)
  })
})
