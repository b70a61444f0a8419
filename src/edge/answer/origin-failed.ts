/** The answer when the origin gave none. The session goes on, and the page tries again by itself. */
import { FALLBACK } from '../../settings/texts/languages.ts'
import { failedPage } from '../pages/blocked.ts'
import { problemResponse } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageOf } from '../texts/catalog.ts'
import { languageFor } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'
import { statusOf } from './mark.ts'
import { isForProgram, outsideHeaders } from './outside.ts'

/** Visitors who met the same failure come again at random moments within this time. */
const RETRY_MS = 5_000
const SPREAD_MS = 3_000
const STATUS = { timeout: 504, unreachable: 502 } as const

/** Returns the answer. `room` is null for a request of no room. */
export async function originFailed(
  visit: Visit,
  room: RoomClient | null,
  why: 'timeout' | 'unreachable',
): Promise<Response> {
  const retryAfterMs = RETRY_MS + SPREAD_MS * Math.random()
  if (room && visit.kind === 'navigation' && !isForProgram(visit)) {
    const { html, headers } = await failedPage(visit, room, why, retryAfterMs)
    const body = visit.request.method === 'HEAD' ? null : html
    return new Response(body, { status: STATUS[why], headers: { ...outsideHeaders(retryAfterMs), ...headers } })
  }
  const language = room ? languageFor(visit, room.settings.config) : languageOf(FALLBACK)
  const { problems, blocked } = language.texts
  return problemResponse({
    status: STATUS[why],
    type: 'temporary-reduced-capacity',
    title: problems[why],
    detail: visit.isSafe ? problems.again : blocked.unknown,
    headers: languageHeaders(language),
    retryAfterMs,
    ...(room ? { more: statusOf(visit, room, 'origin-failed') } : {}),
  })
}
