/** The claim of a called visitor: a place becomes a session. */
import type { ClaimRefusal } from '../../core/place/after-claim.ts'
import type { ClaimStep } from '../../core/place/steps.ts'
import type { ClaimAnswer } from '../../core/protocol/messages.ts'
import { type Pass, placeIdOf } from '../../core/ticket.ts'
import { passFor } from '../../tokens/tokens.ts'
import type { Visit } from '../request/visit.ts'
import { type RoomClient, Unreachable } from '../room-client/room-client.ts'
import { isWaitPage } from './confirm.ts'
import { leaseOn } from './session.ts'
import type { Admitted, WhyAdmitted } from './verdict.ts'

type Claimed = { readonly verdict: 'admitted'; readonly admission: Admitted } | ClaimRefusal

/**
 * Exchanges a place for a session. If the door gave an answer a moment ago, or a final one, it is not asked again.
 * `charges` is true if the request goes on to the origin with its claim.
 */
export async function claim(visit: Visit, room: RoomClient, step: ClaimStep, charges: boolean): Promise<Claimed> {
  const { ticket } = step
  const { sid, generation } = ticket
  const lease = leaseOn(visit, room, sid)
  const goesOn = charges && !isWaitPage(visit)
  const referrer = goesOn ? ticket.referrer : undefined
  if (lease)
    return letIn(
      room,
      passFor({ room: room.name, sid, ...later(step, goesOn), generation, issuedMs: visit.nowMs }, lease.expiresMs),
      { why: 'claimed-before', referrer },
    )
  const id = placeIdOf(ticket)
  const ended = room.ended.find(id, visit.nowMs)
  if (ended) return { verdict: 'ended', again: ended.again, transferred: ended.transferred }
  try {
    const answer = claimedLately(visit, room, id, charges) ?? (await askFor(visit, room, step, charges))
    if (answer.verdict === 'none') return answer
    if (answer.verdict === 'ended') {
      room.ended.note(id, { again: answer.again, transferred: answer.transferred }, visit.nowMs)
      return answer
    }
    const pass = passFor(
      { room: room.name, sid: answer.sid ?? sid, ...later(step, goesOn), generation, issuedMs: answer.issuedMs },
      answer.expiresMs,
    )
    const why = answer.known ? 'claimed-before' : 'claimed'
    return await letIn(room, pass, { why, referrer })
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return { verdict: 'unreachable' }
  }
}

/**
 * Returns the door's last answer to the same ticket while it is fresh, or null. The pace of polls is limited elsewhere,
 * so a poll that was refused before may claim at once.
 */
function claimedLately({ nowMs }: Visit, room: RoomClient, id: string, charges: boolean): ClaimAnswer | null {
  const answer = room.claims.lately(id, nowMs)
  if (answer?.verdict === 'admitted') return { ...answer, known: true }
  return charges ? answer : null
}

async function askFor(
  visit: Visit,
  room: RoomClient,
  { ticket, leaves }: ClaimStep,
  charges: boolean,
): Promise<ClaimAnswer> {
  const { sid, key, lane, takenMs, transfers, generation } = ticket
  // A request that goes on with its claim is the first one charged to the session.
  const requests = charges ? room.limits.chargeToClaim(visit, room.sessions.of(sid).limits, visit.nowMs) : []
  const answer = await room.claims.ask(visit, {
    ...{ sid, key, lane, generation },
    ...(leaves ? { leaves } : {}),
    ...(takenMs === undefined ? {} : { takenMs }),
    ...(transfers === undefined ? {} : { transfers }),
    ...(requests.length > 0 ? { tokenRequests: requests } : {}),
  })
  if (answer.verdict !== 'admitted') room.sessions.drop(sid)
  else if (charges && !answer.known)
    room.limits.noteClaimed(visit, room.sessions.of(sid).limits, requests, answer.grants)
  return answer
}

/** Returns the referrer for the pass, if the visitor's first request to the origin comes later. */
function later({ ticket: { referrer } }: ClaimStep, goesOn: boolean): Pick<Pass, 'referrer'> {
  return goesOn || referrer === undefined ? {} : { referrer }
}

async function letIn(
  room: RoomClient,
  pass: Pass,
  { why, referrer = null }: { readonly why: WhyAdmitted; readonly referrer: string | null | undefined },
): Promise<Claimed> {
  const text = await room.tokens.signPass(pass)
  const admission = { kind: 'admitted', why, room, sid: pass.sid, pass: text, isNew: true, referrer } as const
  return { verdict: 'admitted', admission }
}
