/**
 * A visitor without a pass. `nextStep` of the core decides each step, and this file carries it out: it issues and signs
 * tickets, charges networks, counts, and claims.
 */
import { afterClaim } from '../../core/place/after-claim.ts'
import { type Outsider, type Purpose, type RoomNow, UNKNOWN_YET } from '../../core/place/outsider.ts'
import { nextStep, pollAfter } from '../../core/place/step.ts'
import type { ClaimStep, RejectStep, WaitStep } from '../../core/place/steps.ts'
import { doorOf, placeIdOf, type Ticket } from '../../core/ticket.ts'
import { challengeFor, isExempt, unsolvedDelayMs } from '../first-use/challenge.ts'
import { confirmDelayMs } from '../first-use/network-quota.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'
import { claim } from './claim.ts'
import { networkCheck } from './network-policies.ts'
import { countConfirmed, giveUp, issueTicket, newSid, nextAfter, withKnownPlace } from './tickets.ts'
import { type Admitted, type Limited, limitedBy, type Rejected, type Waiting } from './verdict.ts'

/** How long a pass is valid that is given while the room cannot be reached. */
const FALLBACK_PASS_MS = 60_000
/** A rejected visitor may come back at any time. This time is for programs, so that they do not come back at once. */
const REJECTED_RETRY_MS = 30_000

/** The tokens that a visitor without a pass has shown. */
export interface Shown {
  /** The ticket that decides. */
  readonly ticket: Ticket | null
  /** The ticket in the visitor's cookie. If another ticket decides, the visitor must be given that one. */
  readonly inCookie: Ticket | null
  readonly keepCookie: boolean
  readonly invited: Invited
}

/** A request's purpose, and what it brings. */
interface Asking {
  readonly purpose: Purpose
  /** The visitor's next place is this much behind that of a newcomer. */
  readonly behindMs?: number
  /** The ended session that this place follows. The visitor may show its token again. */
  readonly after?: string | undefined
}

/** The state of a visitor between two steps. */
interface Progress {
  readonly kind: 'goes on'
  readonly ticket: Ticket | null
  readonly visitor: Outsider
  readonly after: string | undefined
  readonly shown: Shown
}

/**
 * Takes a visitor without a pass as far as this request allows. Returns the place as it is now, or the pass from a
 * claim, or the reason why the visitor gets neither.
 */
export async function withoutPass(
  visit: Visit,
  room: RoomClient,
  shown: Shown,
  asking: Asking,
): Promise<Admitted | Waiting | Rejected | Limited> {
  const ticket = await withKnownPlace(shown.ticket, room, visit.nowMs)
  let progress: Progress = {
    kind: 'goes on',
    ticket,
    visitor: outsider(visit, room, shown, asking),
    after: asking.after,
    shown,
  }
  for (;;) {
    const { visitor } = progress
    const step = nextStep(progress.ticket, visitor, roomNow(room, progress.ticket, visit.nowMs), visit.nowMs)
    switch (step.kind) {
      case 'reject':
        return rejected(visit, room, step)
      case 'wait':
        return waiting(visit, room, step, progress)
      case 'claim': {
        const claimed = await claimOrGoOn(visit, room, step, progress)
        if (claimed.kind !== 'goes on') return claimed
        progress = claimed
        break
      }
      case 'issue': {
        if (step.why === 'changed-lane' && progress.ticket) giveUp(room, progress.ticket)
        if (step.why === 'missed') room.count('missed')
        const issued = await issueTicket(visit, room, shown.invited, { ...step, before: progress.ticket })
        progress = { ...progress, ticket: issued, visitor: { ...visitor, issued: step.why } }
        break
      }
      case 'charge-network': {
        const delayMs = confirmDelayMs(visit, room)
        if (delayMs > 0) room.count('delayed')
        progress = { ...progress, visitor: { ...visitor, delayMs } }
        break
      }
      case 'charge-unsolved': {
        const delayMs = unsolvedDelayMs(visit, room)
        room.count(delayMs > 0 ? 'challenge_held' : 'challenge_waived')
        progress = { ...progress, visitor: { ...visitor, unsolvedDelayMs: delayMs } }
        break
      }
      case 'admit-locally':
        if (room.spendOrWaitMs('admit', step.quota, visit.nowMs) === 0) return admitLocally(visit, room)
        progress = { ...progress, visitor: { ...visitor, isLocalSpent: true } }
        break
    }
  }
}

/** Claims. Returns the verdict, or the visitor's next ticket if the session of this ticket has ended. */
async function claimOrGoOn(
  visit: Visit,
  room: RoomClient,
  step: ClaimStep,
  progress: Progress,
): Promise<Admitted | Waiting | Rejected | Limited | Progress> {
  const { visitor, after } = progress
  const entersAtOnce = visitor.purpose === 'enter'
  const refusal = entersAtOnce && room.limits.countsNetworks ? networkCheck(visit, room).ask() : null
  if (refusal) return limitedBy(room, null, refusal)
  const claimed = await claim(visit, room, step, entersAtOnce)
  if (claimed.verdict === 'admitted') {
    if (visitor.issued !== null) room.count('walked_in')
    room.ended.noteNext(after, step.ticket)
    return claimed.admission
  }
  const next = afterClaim(step, claimed, room.settings.at(visit.nowMs).step, visit.nowMs)
  switch (next.kind) {
    case 'reject':
      return rejected(visit, room, next)
    case 'wait':
      return waiting(visit, room, next, progress)
    case 'retry': {
      const id = placeIdOf(step.ticket)
      const ticket = await withKnownPlace(nextAfter(visit, room, id) ?? next.ticket, room, visit.nowMs)
      const again = { ...visitor, issued: null, delayMs: null, claims: visitor.claims + 1 }
      return { ...progress, ticket, visitor: again, after: id }
    }
  }
}

function outsider(
  visit: Visit,
  room: RoomClient,
  { invited, keepCookie }: Shown,
  { purpose, behindMs = 0 }: Asking,
): Outsider {
  const invitedTo = invited.kind === 'valid' ? invited.invitation.lane : null
  const shown = { invitation: invited.kind, invitedTo, keepsCookie: keepCookie }
  return { purpose, ...shown, behindMs, ...UNKNOWN_YET, isExempt: isExempt(visit, room) }
}

function roomNow(room: RoomClient, ticket: Ticket | null, nowMs: number): RoomNow {
  return {
    rules: room.settings.at(nowMs).step,
    snapshot: room.snapshot,
    hasFailed: room.sync.hasFailed(nowMs),
    isDoorEmpty: ticket !== null && room.claims.isExhausted(doorOf(ticket.sid)),
  }
}

async function waiting(visit: Visit, room: RoomClient, step: WaitStep, { shown, after }: Progress): Promise<Waiting> {
  const { why, ticket, place, issued, snapshot } = step
  if (step.confirms) countConfirmed(visit, room, ticket)
  room.ended.noteNext(after, ticket)
  if (issued !== null) room.count('minted')
  const isGiven = ticket !== shown.inCookie && !shown.keepCookie
  return {
    kind: 'waiting',
    why,
    room,
    ticket,
    token: isGiven ? await room.tokens.signTicket(ticket) : null,
    place,
    pollAfterMs: pollAfter(step, room.settings.at(visit.nowMs).step, visit.nowMs, Math.random()),
    missed: issued === 'missed',
    invitation: shown.invited.kind,
    endedByInactivity: null,
    requeuedBy: null,
    challenge: await challengeFor(visit, room, step, shown.ticket),
    snapshot,
  }
}

function rejected(visit: Visit, room: RoomClient, { why }: RejectStep): Rejected {
  if (visit.kind !== 'subresource') room.count('rejected')
  return { kind: 'rejected', why, room, retryAfterMs: REJECTED_RETRY_MS, snapshot: room.snapshot }
}

/** Admits a visitor without asking the room, with a pass of one minute. Such visitors are exempt from I1 and I2. */
async function admitLocally(visit: Visit, room: RoomClient): Promise<Admitted> {
  room.count('fallback')
  const sid = newSid(room, visit)
  const generation = room.snapshot?.generation ?? 0
  const pass = { room: room.name, sid, generation, issuedMs: visit.nowMs, expiresMs: visit.nowMs + FALLBACK_PASS_MS }
  return {
    kind: 'admitted',
    why: 'room-failed',
    room,
    sid,
    pass: await room.tokens.signPass(pass),
    isNew: true,
    referrer: null,
  }
}
