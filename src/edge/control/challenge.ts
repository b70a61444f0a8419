/**
 * `POST /challenge?room=NAME`: the solution of a challenge, as JSON. The answer is that of a poll, because the
 * visitor's place counts from now on.
 */
import source from '../../../static/challenge-worker.js'
import { compact } from '../pages/compact.ts'
import { OWN_HEADERS, problemResponse } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { bodyOf } from './body.ts'
import { type Answer, isOfAnotherOrigin, ofAnotherOrigin, status } from './poll.ts'

/** A solution with its challenge is about 500 bytes. */
const BODY_BYTES_MAX = 8_192
const MAX_AGE_SECONDS = 600
const WORKER = compact(source)

export async function challenge(visit: Visit, room: RoomClient): Promise<Answer> {
  if (isOfAnotherOrigin(visit, room)) return ofAnotherOrigin(visit, room)
  const solution = await solutionIn(visit.request)
  if (solution !== undefined) return status(visit, room, { solution })
  const title = `The body must be JSON of at most ${BODY_BYTES_MAX} bytes: the challenge and its solution`
  return ['control', problemResponse({ status: 400, type: 'about:blank', title })]
}

/** Returns the script that solves challenges in a worker of the page. */
export function challengeWorker(): Response {
  const headers = { 'Content-Type': 'text/javascript; charset=utf-8', ...OWN_HEADERS }
  return new Response(WORKER, { headers: { ...headers, 'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}` } })
}

/** Returns the JSON of a body. Returns undefined if the body is too long, late, or no JSON. */
async function solutionIn(request: Request): Promise<unknown> {
  const text = await bodyOf(request, BODY_BYTES_MAX)
  try {
    return text === null ? undefined : (JSON.parse(text) as unknown)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
