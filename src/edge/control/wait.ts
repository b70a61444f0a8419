/**
 * `GET /wait?room=NAME&to=PATH`: a page on which a person waits for a room that guards data only. An app opens it, and
 * the visitor goes on to `to` once inside.
 */
import { stateOf } from '../answer/mark.ts'
import { addTokens, answerHere } from '../answer/respond.ts'
import { decide } from '../gate/decide.ts'
import { refreshUrl } from '../pages/page.ts'
import { OWN_HEADERS } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Answer } from './poll.ts'

export async function wait(visit: Visit, room: RoomClient): Promise<Answer> {
  const verdict = await decide(visit, room)
  const isLetOn = verdict.kind === 'admitted' || verdict.kind === 'proxy'
  if (!isLetOn && (room.settings.config.mode !== 'observe' || verdict.kind === 'limited'))
    return [stateOf(verdict), await answerHere(visit, verdict)]
  const headers = { Location: targetOf(visit, room), 'Cache-Control': 'no-store', ...OWN_HEADERS }
  const response = new Response(null, { status: 303, headers })
  if (verdict.kind === 'admitted') {
    room.limits.end(room.sessions.peek(verdict.sid)?.limits, visit)
    addTokens(visit, response.headers, [verdict])
  }
  return ['redirect', response]
}

/** Returns the address to go on to: `to`, or else the room's path. It is on this origin, and no control route. */
function targetOf({ url, deployment }: Visit, { settings }: RoomClient): string {
  const asked = url.searchParams.get('to') || settings.config.path
  const to = URL.parse(asked, url.origin)
  if (to?.origin !== url.origin || to.pathname.startsWith(deployment.controlPrefix)) return settings.config.path
  return refreshUrl(to) + to.hash
}
