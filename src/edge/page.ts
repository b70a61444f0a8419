/**
 * The waiting page: one self-contained answer, complete without scripts, kept up to date by them.
 *
 * Its words stand in `static/waiting.texts.json`: this renders them, and hands them to the page's script. What is said before a
 * draw is said by the page alone, and stays until the script hears of the place.
 */
import Mustache from 'mustache'
import rejectedHtml from '../../static/rejected.html'
import css from '../../static/waiting.css'
import html from '../../static/waiting.html'
import js from '../../static/waiting.js'
import texts from '../../static/waiting.texts.json'
import type { Rejected, Waiting } from './gate.ts'
import { type PlaceJson, placeJson, rejectedJson } from './place-json.ts'
import type { Visit } from './visit.ts'

/** The same for everybody. */
const FIXED = { style: compact(css).replace(/\s*([{};,])\s*/g, '$1'), script: compact(js), texts: inScript(texts) }
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
const UNDRAWN = 'Not drawn yet'
const NUMBERS = new Intl.NumberFormat('en')
const WRITER = new Mustache.Writer()
/** Parsed once: a render by the template's text would look it up by that text each time. */
const TEMPLATE = WRITER.parse(html)
const REJECTED = WRITER.parse(rejectedHtml)

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
    ...wording(place),
    ...place.cfWaitingRoom,
    state: place.state,
    position: place.position,
    message: place.message,
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
    ...(verdict.soldOut ? SOLD_OUT : NO_PLACE),
    ...cfWaitingRoom,
    message,
    site: visit.url.host,
    sent: method !== 'GET' && method !== 'HEAD',
  }
  return WRITER.renderTokens(REJECTED, new Mustache.Context(variables), undefined, rejectedHtml)
}

/**
 * The page's Content-Security-Policy: its own style and script by their hashes, polls of its own origin, and nothing
 * else. Hashed once; embedding is left to the room's cookie settings, so there is no `frame-ancestors`.
 */
export async function waitingPagePolicy(): Promise<string> {
  policy ??= [
    "default-src 'none'",
    `script-src ${await hashOf(FIXED.script)}`,
    `style-src ${await hashOf(FIXED.style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return policy
}

/** What the page says of a place; `show` in the page's script says the same of a poll. */
function wording({ state, held, slower, position, drawAt, cfWaitingRoom }: PlaceJson) {
  const text: StateText = texts[state]
  const number = text.place ?? (position === null ? '' : NUMBERS.format(position))
  const known = cfWaitingRoom.waitTimeKnown ? cfWaitingRoom.waitTimeFormatted : texts.waitUnknown
  const why = state === 'waiting' && slower !== null ? ` ${texts.slower[slower]}` : ''
  const lead = held ? (text.paused ?? texts.paused) : text.lead + why
  return {
    headline: text.headline,
    lead: drawAt === null ? lead : `${lead} ${DRAWING}`,
    title: number === '' ? text.headline : text.title.replace('{place}', number),
    placeText: number !== '' ? number : drawAt === null ? texts.pending : UNDRAWN,
    placeClass: number === '' ? 'pending' : number.length > PLACE_LENGTH ? 'long' : '',
    waitText: held ? texts.waitUnknown : (text.wait ?? known),
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
