/** The states of verdicts, and the mark on a room's answers. */
import { needsInvitation, type PollVerdict, type Rejected, type TurnedAway, type Verdict } from '../gate/verdict.ts'
import { marked, type State } from '../mark.ts'
import { placeState } from '../pages/place-json.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor, ownTextIn } from '../texts/choose.ts'
import { allowOrigin } from './cors.ts'

/** The state of an answer, and the reason for it. The reason is empty where the state says it all. */
export interface Mark {
  readonly state: State
  readonly why: string
}

/**
 * Marks and counts an answer of a room, and lets the pages of its `cors_origins` read it. Returns the same answer. The
 * count goes with the next report, and causes none.
 */
export function markedBy(visit: Visit, room: RoomClient | null, mark: State | Mark, response: Response): Response {
  const { state, why } = typeof mark === 'string' ? { state: mark, why: '' } : mark
  if (room) {
    room.count(`answer/${state}/${why}`)
    allowOrigin(visit, room, response.headers)
  }
  return marked(state, response, room?.name)
}

/** Returns the members for a problem about a request that was not carried out, if its visitor is not in line. */
export function statusOf(visit: Visit, room: RoomClient, state: State) {
  const { config } = room.settings.at(visit.nowMs)
  const { text } = ownTextIn(config.message, languageFor(visit, room.settings.config), config)
  const message = text === '' ? {} : { message: text }
  return { room: room.name, state, cfWaitingRoom: { inWaitingRoom: false }, ...message }
}

/** Returns the state for an answer to a poll, or to a request that does not go on. */
export function stateOf(verdict: Exclude<Verdict, { kind: 'proxy' }> | PollVerdict): State {
  switch (verdict.kind) {
    case 'waiting':
      return placeState(verdict)
    case 'rejected':
      return rejectedState(verdict)
    case 'turned-away':
      return turnedAwayState(verdict)
    case 'limited':
    case 'too-early':
      return 'limited'
    case 'admitted':
    case 'inside':
      return 'admitted'
    case 'no-place':
      return 'none'
    case 'unreadable':
      return 'unavailable'
    case 'https':
      return 'redirect'
    case 'resubmit':
      return 'resubmit'
    case 'preflight':
      return 'preflight'
  }
}

function rejectedState({ why, snapshot }: Rejected): State {
  if (needsInvitation(why)) return 'uninvited'
  return snapshot?.soldOut ? 'sold-out' : 'rejected'
}

function turnedAwayState({ why, page }: TurnedAway): State {
  if (page) return stateOf(page)
  return why === 'prefetch' ? 'prefetch' : 'none'
}
