/**
 * The waiting page: one self-contained answer, complete without scripts, kept up to date by them.
 *
 * Its words stand in `static/waiting.texts.json`: this renders them, and hands them to the page's script. What is said before a
 * draw is said by the page alone, and stays until the script hears of the place.
 */
import Mustache from 'mustache'
import holdingHtml from '../../static/holding.html'
import rejectedHtml from '../../static/rejected.html'
import startCss from '../../static/start.css'
import startJs from '../../static/start.js'
import startTexts from '../../static/start.texts.json'
import css from '../../static/waiting.css'
import html from '../../static/waiting.html'
import js from '../../static/waiting.js'
import texts from '../../static/waiting.texts.json'
import { MAIN_LANE } from '../core/ticket.ts'
import type { Held } from './holding.ts'
import { type PlaceJson, placeJson, rejectedJson } from './place-json.ts'
import type { Rejected, Waiting } from './verdict.ts'
import type { Visit } from './visit.ts'

/** The same for everybody. */
const FIXED = { style: compact(css).replace(/\s*([{};,])\s*/g, '$1'), script: compact(js), texts: inScript(texts) }
/** For those who wait for a start. */
const START = { startStyle: compact(startCss), startScript: compact(startJs), startTexts: inScript(startTexts) }
/** The style of every page at the edge. */
export const pageStyle = FIXED.style
const DRAWING =
  'Places are drawn by lot among everybody who comes in the same few minutes, so it does not matter who was first. Yours is shown after the draw.'
const NO_PLACE = {
  headline: 'There is no room at the moment',
  lead: 'Every place is taken, and this site keeps no line. You are welcome to come back a little later.',
}
const SOLD_OUT = {
  headline: 'Nothing is left at the moment',
  lead: 'Everybody who could be let in is in. If more becomes available, whoever has a place in line still has it.',
}
const HELD: Readonly<Record<Held['why'], { headline: string; lead: string }>> = {
  outage: {
    headline: 'We are holding your place',
    lead: 'The site has trouble answering at the moment. You are still inside: nothing is lost, and your time does not run. You will be back as soon as it answers again.',
  },
  closed: {
    headline: 'This part is taking a short break',
    lead: 'It cannot answer at the moment. The rest of the site works as usual, and your place is kept.',
  },
  shed: {
    headline: 'One moment, please',
    lead: 'The site is very busy, and this page can wait a little. Your place is kept.',
  },
}
const UNINVITED = {
  none: {
    headline: 'You need an invitation',
    lead: 'This page is open to invited visitors at the moment. If you have an invitation, please open its link again.',
  },
  invalid: {
    headline: 'This invitation is not valid',
    lead: 'It may have expired, or its link may be incomplete. Please open the link once more, or ask whoever invited you for a new one.',
  },
}
const PRIORITY = 'You are in the priority line.'
const NOT_VALID =
  'Your invitation is not valid, or not any more, so you are in the ordinary line. Nothing else has changed.'
const UNDRAWN = 'Not drawn yet'
const NUMBERS = new Intl.NumberFormat('en')
const WRITER = new Mustache.Writer()
/** Parsed once: a render by the template's text would look it up by that text each time. */
const TEMPLATE = WRITER.parse(html)
const REJECTED = WRITER.parse(rejectedHtml)
const HOLDING = WRITER.parse(holdingHtml)

/** Without scripts the page reloads no more often than this: a reload is a whole page. */
const REFRESH_MIN_SECONDS = 5
const REFRESH_CALLED_SECONDS = 2
/** Only one page says that a turn was missed: there must be time to read it. */
const REFRESH_MISSED_SECONDS = 20
/** A number of more characters is set smaller; the page's script knows the same bound. */
const PLACE_LENGTH = 6

let policy: string | null = null

export function waitingPage(visit: Visit, waiting: Waiting): string {
  const place = placeJson(waiting, visit.nowMs)
  const { method } = visit.request
  const variables = {
    ...FIXED,
    ...START,
    ...wording(place),
    ...place.cfWaitingRoom,
    state: place.state,
    position: place.position,
    entry: place.event?.draw?.isEntry ? place.event.draw.sid : null,
    drawUrl: drawUrl(visit, waiting, place),
    starts: place.event?.startsInSeconds ?? null,
    startsAt: place.event?.startsAt,
    message: place.message,
    laneNote: laneNote(place),
    pollAfterSeconds: place.pollAfterSeconds,
    site: visit.url.host,
    requeued: waiting.requeuedBy !== null,
    sent: method !== 'GET' && method !== 'HEAD',
    refreshSeconds: refreshSeconds(place),
    refreshUrl: refreshUrl(visit.url),
    statusUrl: `${visit.deployment.controlPrefix}/status?room=${encodeURIComponent(waiting.room.name)}&claim=1`,
  }
  return WRITER.renderTokens(TEMPLATE, new Mustache.Context(variables), undefined, html)
}

/** The page of a room without a line: nothing on it moves, and nothing on it asks again. */
export function rejectedPage(visit: Visit, verdict: Rejected): string {
  const { cfWaitingRoom, message } = rejectedJson(verdict, visit.nowMs)
  const { method } = visit.request
  const variables = {
    style: FIXED.style,
    ...textOf(verdict),
    ...cfWaitingRoom,
    message,
    site: visit.url.host,
    sent: method !== 'GET' && method !== 'HEAD',
  }
  return WRITER.renderTokens(REJECTED, new Mustache.Context(variables), undefined, rejectedHtml)
}

/** The page of an admitted visitor whose request was not sent on. It retries by itself, unless that would send something twice. */
export function heldPage(visit: Visit, why: Held['why'], message: string, retryAfterMs: number): string {
  const { method } = visit.request
  const variables = {
    style: FIXED.style,
    ...HELD[why],
    message,
    site: visit.url.host,
    sent: method !== 'GET' && method !== 'HEAD',
    refreshSeconds: Math.max(REFRESH_MIN_SECONDS, Math.ceil(retryAfterMs / 1_000)),
    refreshUrl: refreshUrl(visit.url),
  }
  return WRITER.renderTokens(HOLDING, new Mustache.Context(variables), undefined, holdingHtml)
}

function textOf({ uninvited, soldOut }: Rejected) {
  if (uninvited !== null) return UNINVITED[uninvited]
  return soldOut ? SOLD_OUT : NO_PLACE
}

/** What there is to say of an invitation, null for most. */
function laneNote({ lane, invitation }: PlaceJson): string | null {
  if (invitation === 'invalid') return NOT_VALID
  return lane === MAIN_LANE ? null : PRIORITY
}

/**
 * The page's Content-Security-Policy: its own style and script by their hashes, polls of its own origin, and nothing
 * else. Hashed once; embedding is left to the room's cookie settings, so there is no `frame-ancestors`.
 */
export async function waitingPagePolicy(): Promise<string> {
  policy ??= [
    "default-src 'none'",
    `script-src ${await hashOf(FIXED.script)} ${await hashOf(START.startScript)}`,
    `style-src ${await hashOf(FIXED.style)} ${await hashOf(START.startStyle)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return policy
}

/** What the page says of a place; `show` in the page's script says the same of a poll. */
function wording(place: PlaceJson) {
  if (typeof place.event?.startsInSeconds === 'number') return beforeTheStart(place.event, place.cfWaitingRoom)
  const { state, held, slower, reason, position, drawAt, event, cfWaitingRoom } = place
  const text: StateText = texts[state]
  const number = text.place ?? (position === null ? '' : NUMBERS.format(position))
  const known = cfWaitingRoom.waitTimeKnown ? cfWaitingRoom.waitTimeFormatted : texts.waitUnknown
  const why = state === 'waiting' && slower !== null ? ` ${texts.slower[slower]}` : ''
  const lead = reason === 'outage' ? texts.outage : held ? (text.paused ?? texts.paused) : text.lead + why
  return {
    headline: text.headline,
    ...startTexts.after,
    lead: drawAt === null ? lead : event?.draw ? startTexts.after.lead : `${lead} ${DRAWING}`,
    title: number === '' ? text.headline : text.title.replace('{place}', number),
    placeText:
      number !== '' ? number : drawAt === null ? texts.pending : event?.draw ? startTexts.after.drawing : UNDRAWN,
    placeClass: number === '' ? 'pending' : number.length > PLACE_LENGTH ? 'long' : '',
    waitText: held ? texts.waitUnknown : (text.wait ?? known),
  }
}

/** Until then the page counts down; without scripts it says the time in words, and the start in UTC. */
function beforeTheStart(
  { draw, startsAt }: NonNullable<PlaceJson['event']>,
  { timeUntilEventStartFormatted: time }: PlaceJson['cfWaitingRoom'],
) {
  const { headline, drawn, byArrival, label, beside, title } = startTexts.before
  return {
    headline,
    label,
    beside,
    lead: draw ? drawn : byArrival,
    title: title.replace('{time}', time),
    placeText: time[0]?.toUpperCase() + time.slice(1),
    placeClass: 'words',
    waitText: `${startsAt.slice(0, 10)} ${startsAt.slice(11, 16)} UTC`,
  }
}

interface StateText {
  readonly headline: string
  readonly lead: string
  readonly title: string
  readonly paused?: string
  readonly place?: string
  readonly wait?: string
}

function drawUrl({ deployment }: Visit, { room }: Waiting, { event }: PlaceJson): string {
  return `${deployment.controlPrefix}/draws/${event?.name}?room=${encodeURIComponent(room.name)}`
}

function refreshSeconds({ state, pollAfterSeconds }: PlaceJson): number {
  const least = { waiting: REFRESH_MIN_SECONDS, called: REFRESH_CALLED_SECONDS, missed: REFRESH_MISSED_SECONDS }[state]
  return Math.max(least, Math.ceil(pollAfterSeconds))
}

/**
 * Where the page reloads itself to. Without an address of its own a page with a fragment would only be scrolled, for ever;
 * the fragment is lost for who has no scripts. The dot keeps a path like `//elsewhere` from being read as a host.
 */
export function refreshUrl({ pathname, search }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}`
}

/** Without what only its readers need: comments (those of `//` on lines of their own) and indentation. */
export function compact(text: string): string {
  return text.replace(/\/\*.*?\*\/ ?/g, '').replace(/^[ \t]*((\/\/.*)?\n)?/gm, '')
}

/** JSON that no `<` ends early, in ASCII: a single wide character makes the encoding of the whole page slow. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u0080-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A source of a policy: the hash of what stands between the tags, byte for byte. */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
}
