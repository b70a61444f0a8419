/**
 * `GET /client.js?room=NAME` and `/client.mjs`: the script that a site includes, so that its own scripts can deal with
 * the line. It contains the facts of its room, and its few words in the visitor's language.
 */
import source from '../../../static/client.js'
import { compact } from '../pages/compact.ts'
import { OWN_HEADERS } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'

/** Browsers keep the script for this long. */
const MAX_AGE_SECONDS = 600

/**
 * The statements of the source, without exports and without spaces around operators. None of its texts contains these.
 */
const code = compact(source)
  .replace(/^export /gm, '')
  .replace(/ (=>?|[!=]==?|&&|\|\||[?:+*<>-]|<=) /g, '$1')

/**
 * Returns the script for a script element, or the module. The script starts by itself; the module is started by its
 * page.
 */
export function clientScript(visit: Visit, room: RoomClient, kind: 'script' | 'module'): Response {
  const language = languageFor(visit, room.settings.config)
  const { tag: lang, dir, texts } = language
  const facts = JSON.stringify({
    prefix: visit.deployment.controlPrefix,
    room: room.name,
    lang,
    dir,
    texts: { waiting: texts.waiting.headline, ...texts.client },
  })
  const body =
    kind === 'module'
      ? `${code}export const guard = (options = {}) => start(${facts}, options)\n`
      : `{${code}window.waitingRoom = start(${facts}, document.currentScript.dataset)}\n`
  const headers = {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
    ...OWN_HEADERS,
    ...languageHeaders(language),
  }
  return new Response(body, { headers })
}
