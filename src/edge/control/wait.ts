/**
 * `GET /wait?room=NAME&to=PATH`: a page on which a person waits for a room that guards only data. An app opens it, and
 * the visitor goes on to `to` once inside. With `embedded=1` the app shows it in a frame. Then the wait ends on an
 * empty page, so that the frame loads nothing of the site.
 */
import { stateOf } from '../answer/mark.ts'
import { addTokens, answerHere } from '../answer/respond.ts'
import { decide } from '../gate/decide.ts'
import { onwardUrl } from '../pages/addresses.ts'
import { pageHeaders } from '../pages/page.ts'
import { escaped } from '../pages/template.ts'
import { OWN_HEADERS } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor } from '../texts/choose.ts'
import type { Answer } from './poll.ts'

const NEVER_STORED = { 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex', ...OWN_HEADERS }

export async function wait(visit: Visit, room: RoomClient): Promise<Answer> {
  const verdict = await decide(visit, room)
  const isLetOn = verdict.kind === 'admitted' || verdict.kind === 'proxy'
  if (!isLetOn && (room.settings.config.mode !== 'observe' || verdict.kind === 'limited'))
    return [stateOf(verdict), await answerHere(visit, verdict)]
  const isEmbedded = visit.url.searchParams.get('embedded') === '1'
  const response = isEmbedded ? emptyPage(visit, room) : goOn(onwardUrl(visit, room))
  if (verdict.kind === 'admitted') {
    room.limits.end(room.sessions.peek(verdict.sid)?.limits, visit)
    addTokens(visit, response.headers, [verdict])
  }
  return [isEmbedded ? 'admitted' : 'redirect', response]
}

function goOn(target: string): Response {
  return new Response(null, { status: 303, headers: { Location: target, ...NEVER_STORED } })
}

/** Returns a page without content. The page around the frame reads its state from it. */
function emptyPage(visit: Visit, { settings: { config } }: RoomClient): Response {
  const { tag, texts } = languageFor(visit, config)
  const html = `<!doctype html><html lang="${tag}" data-state="admitted"><title>${escaped(texts.admitted.headline)}</title></html>`
  return new Response(html, { headers: { ...NEVER_STORED, ...pageHeaders("default-src 'none'", config) } })
}
