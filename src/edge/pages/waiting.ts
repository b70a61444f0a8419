/** The page of a visitor in line. It is complete without scripts. With scripts it polls and goes on by itself. */
import blockCss from '../../../static/block.css'
import block from '../../../static/block.html'
import scripts from '../../../static/scripts.json'
import startCss from '../../../static/start.css'
import html from '../../../static/waiting.html'
import { MAIN_LANE } from '../../core/ticket.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Texts } from '../../settings/texts/keys.ts'
import { challengeScript, challengeVariables, providerOf } from '../first-use/page.ts'
import { TURNSTILE_HOST } from '../first-use/turnstile.ts'
import { asks } from '../gate/confirm.ts'
import type { OnPage, Waiting } from '../gate/verdict.ts'
import { isInApp } from '../request/in-app.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { counted, filled, inWords } from '../texts/words.ts'
import { drawUrl, enterUrl, leaveUrl, statusUrl, transferUrl, waitUrl } from './addresses.ts'
import { compact, compactStyle } from './compact.ts'
import { withLinks } from './links.ts'
import {
  constantsOf,
  type Form,
  formOf,
  headersFor,
  type Page,
  pageStyle,
  template,
  templateFor,
  visitVariables,
} from './page.ts'
import { likelyText, turnTexts, wording } from './place/wording.ts'
import { type PlaceJson, placeJson } from './place-json.ts'

/** The parts of the page that are the same for every visitor. */
const FIXED = {
  script: scripts.waiting,
  tellScript: scripts.tell,
  startStyle: compactStyle(startCss),
  // Without scripts the offer to be notified is hidden. With scripts it is there from the first paint, so that nothing
  // moves.
  plainStyle: '#tell{display:none}',
  // Without scripts nothing is calculated, and another text explains when the place counts.
  plainLeadStyle: '#lead{display:none}',
  startScript: scripts.start,
  formScript: scripts.form,
  challengeScript: compact(challengeScript),
}

/** Without scripts the page reloads at most this often: a reload loads a whole page, and interrupts its reader. */
const REFRESH_MIN_SECONDS = 20
const REFRESH_CALLED_SECONDS = 5
/** A missed turn is reported on one page only, so there must be time to read it. */
const REFRESH_MISSED_SECONDS = 20

const pageIn = templateFor(html, constants)
const renderBlock = template(block)
const BLOCK_STYLE = compactStyle(blockCss)
const OWN = {
  styles: [pageStyle, FIXED.startStyle, FIXED.plainStyle],
  scripts: [FIXED.script, FIXED.tellScript, FIXED.startScript, FIXED.formScript],
  polls: true,
  posts: true,
}
const SOLVES = {
  ...OWN,
  styles: [...OWN.styles, FIXED.plainLeadStyle],
  scripts: [...OWN.scripts, FIXED.challengeScript],
  works: true,
}
const WITH_WIDGET = { ...SOLVES, widget: TURNSTILE_HOST }
const headers = { none: headersFor(OWN), pow: headersFor(SOLVES), turnstile: headersFor(WITH_WIDGET) }

export async function waitingPage(visit: Visit, waiting: OnPage<Waiting>): Promise<Page> {
  const { config } = waiting.room.settings
  const language = languageFor(visit, config)
  const form = await formOf(visit)
  const html = pageIn(language, config)(placeVariables(visit, waiting, form))
  return { html, headers: await headers[providerOf(config)](config, language, form.form !== null) }
}

/** Returns the place of a visitor with our scripts, as a block for a page of the operator. */
export function placeBlock(visit: Visit, waiting: OnPage<Waiting>, form: Form): string {
  const { config } = waiting.room.settings
  const variables = { ...constants(languageFor(visit, config), config), ...placeVariables(visit, waiting, form) }
  return renderBlock({ ...variables, blockStyle: BLOCK_STYLE })
}

/** Returns the variables that are the same for all visitors. */
function constants(language: Language, config: RoomConfig) {
  return {
    ...constantsOf(language, config),
    ...FIXED,
    ...scriptTexts(language),
    ...proof(language),
    keepsReferrer: config.referrer === 'keep',
  }
}

function placeVariables(visit: Visit, waiting: OnPage<Waiting>, form: Form) {
  const { config } = waiting.room.settings
  const language = languageFor(visit, config)
  const place = placeJson(visit, waiting)
  const reloadSeconds = refreshSeconds(place, config)
  const isAsked = asks(visit, waiting.room.settings.at(visit.nowMs).config)
  const isTurn = isAsked && place.state === 'called'
  const visited = visitVariables(visit, config)
  return {
    ...visited,
    ...form,
    ...wording(place, language, visit.timeZone),
    likelyAt: place.likelyAt,
    likelyText: likelyText(place, language, visit.platform.timezone),
    ...(isTurn ? turnTexts(place, language) : {}),
    ...challengeVariables(visit, waiting, language),
    state: isTurn ? 'turn' : place.state,
    isTurn,
    asks: isAsked,
    claimInSeconds: place.claimInSeconds ?? 0,
    enterUrl: isAsked ? enterUrl(visit, waiting.room, visited.refreshUrl) : null,
    leaveUrl: leaveUrl(visit, waiting.room, visited.refreshUrl),
    transferUrl: transferUrl(visit, waiting.room, visited.refreshUrl),
    inApp: isInApp(visit.request.headers),
    placeId: filled(language.texts.about.id, { id: waiting.ticket.sid }),
    position: place.position,
    entry: place.event?.draw?.isEntry ? place.event.draw.sid : null,
    drawUrl: place.event && drawUrl(visit, waiting.room, place.event.name),
    // A text, because a template treats the number 0 as absent.
    starts: typeof place.event?.startsInSeconds === 'number' ? String(place.event.startsInSeconds) : null,
    startsAt: place.event?.startsAt,
    message: place.message,
    messageHtml: withLinks(place.message),
    messageLanguage: place.messageLanguage,
    laneNote: laneNote(place, language),
    pollAfterSeconds: place.pollAfterSeconds,
    requeued: waiting.requeuedBy !== null,
    ended: endedText(waiting, visit.nowMs, language),
    refreshSeconds: reloadSeconds,
    withoutScripts: counted(language.texts.page.withoutScripts, reloadSeconds, language),
    statusUrl: statusUrl(visit, waiting.room),
    waitUrl: waitUrl(visit, waiting.room),
  }
}

/** Returns why the last session ended, and whether the place is at the front. Returns null without such a session. */
function endedText(
  { room, place, endedByInactivity }: OnPage<Waiting>,
  nowMs: number,
  language: Language,
): string | null {
  if (!endedByInactivity) return null
  const { page, called } = language.texts
  const text = filled(page.ended, { time: inWords(room.settings.at(nowMs).session.sessionMs, language) })
  // The headline of a called visitor already contains this text.
  return endedByInactivity.isAtFront && place.state !== 'called' ? `${text}\n${called.headline}` : text
}

/** Returns the note about an invitation, or null for most visitors. */
function laneNote({ lane, invitation }: PlaceJson, { texts }: Language): string | null {
  if (invitation === 'invalid') return texts.page.invalidInvitation
  return lane === MAIN_LANE ? null : texts.page.priority
}

/** Returns the text about the proof of a draw, without the link in it. */
function proof({ texts }: Language) {
  const [proofBefore, proofAfter] = texts.page.drawProof.split('{url}')
  return { proofBefore, proofAfter }
}

/**
 * Returns after how many seconds a page without scripts reloads: at least twice in a claim window, unless polls are
 * further apart.
 */
export function refreshSeconds({ state, pollAfterSeconds }: PlaceJson, { claim_window }: RoomConfig): number {
  const least = { waiting: REFRESH_MIN_SECONDS, called: REFRESH_CALLED_SECONDS, missed: REFRESH_MISSED_SECONDS }[state]
  return Math.ceil(Math.max(Math.min(least, claim_window * 30), pollAfterSeconds))
}

/** The texts of the page's scripts, as JSON. Made once for each language, and for each room with texts of its own. */
const SCRIPT_TEXTS = new WeakMap<Texts, { readonly texts: string; readonly startTexts: string }>()

/**
 * Returns only the texts that the page's scripts often show, because the page must be small on the slowest connection.
 * A poll brings the others when they are needed.
 */
function scriptTexts({ texts, locales }: Language) {
  const known = SCRIPT_TEXTS.get(texts)
  if (known) return known
  const { waiting, called, missed, admitted, paused, outage, pending, waitUnknown } = texts
  const { said, fresh, lost, found, turn } = texts
  const soldOut = texts.rejected.soldOut.lead
  const places = { waiting, called, missed, admitted, paused, outage, pending, waitUnknown }
  const { about } = texts.time
  const made = {
    texts: inScript({ ...places, soldOut, turn, about, said, fresh, lost, found, locales }),
    startTexts: inScript({ ...texts.start, locales }),
  }
  SCRIPT_TEXTS.set(texts, made)
  return made
}

/** Returns JSON for a script element. `<` is escaped, so that no text can end the script early. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c')
}
