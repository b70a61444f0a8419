/** The page of a visitor in line. It is complete without scripts. With scripts it polls and goes on by itself. */
import countdownJs from '../../../static/countdown.js'
import startCss from '../../../static/start.css'
import startJs from '../../../static/start.js'
import startTexts from '../../../static/start.texts.json'
import html from '../../../static/waiting.html'
import js from '../../../static/waiting.js'
import texts from '../../../static/waiting.texts.json'
import { MAIN_LANE } from '../../core/ticket.ts'
import type { Waiting } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { compact, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'
import { type PlaceJson, placeJson } from './place-json.ts'

/** The same for every visitor. */
const FIXED = { script: compact(js), texts: inScript(texts) }
/** For visitors who wait for a start. */
const START = {
  startStyle: compact(startCss),
  startScript: compact(countdownJs + startJs),
  startTexts: inScript(startTexts),
}
const DRAWING =
  'Places are drawn by lot among everybody who comes in the same few minutes, so it does not matter who was first. Yours is shown after the draw.'
const PRIORITY = 'You are in the priority line.'
const NOT_VALID =
  'Your invitation is not valid, or not any more, so you are in the ordinary line. Nothing else has changed.'
const UNDRAWN = 'Not drawn yet'
const NUMBERS = new Intl.NumberFormat('en')

/** Without scripts the page reloads no more often than every 5 s, because a reload is a whole page. */
const REFRESH_MIN_SECONDS = 5
const REFRESH_CALLED_SECONDS = 2
/** Only one page reports a missed turn, so there must be time to read it. */
const REFRESH_MISSED_SECONDS = 20
/** A number with more characters is set smaller. The page's script has the same bound. */
const PLACE_LENGTH = 6

const render = template(html)
const headers = headersFor({
  styles: [pageStyle, START.startStyle],
  scripts: [FIXED.script, START.startScript],
  polls: true,
})

export async function waitingPage(visit: Visit, waiting: Waiting): Promise<Page> {
  const place = placeJson(waiting, visit.nowMs)
  const variables = {
    ...variablesOf(visit),
    ...FIXED,
    ...START,
    ...wording(place),
    ...place.cfWaitingRoom,
    state: place.state,
    position: place.position,
    entry: place.event?.draw?.isEntry ? place.event.draw.sid : null,
    drawUrl: drawUrl(visit, waiting, place),
    // As text, because a template takes the number 0 for nothing.
    starts: typeof place.event?.startsInSeconds === 'number' ? String(place.event.startsInSeconds) : null,
    startsAt: place.event?.startsAt,
    message: place.message,
    laneNote: laneNote(place),
    pollAfterSeconds: place.pollAfterSeconds,
    requeued: waiting.requeuedBy !== null,
    refreshSeconds: refreshSeconds(place),
    statusUrl: statusUrl(visit, waiting),
  }
  return { html: render(variables), headers: await headers(waiting.room.settings.config) }
}

/** Returns the note about an invitation. Returns null for most visitors. */
function laneNote({ lane, invitation }: PlaceJson): string | null {
  if (invitation === 'invalid') return NOT_VALID
  return lane === MAIN_LANE ? null : PRIORITY
}

/** Returns the texts of a place. `show` in the page's script makes the same texts from a poll. */
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

/**
 * Returns the texts before a start, to which the page counts down. Without scripts it shows the time left in words, and
 * the start in UTC.
 */
function beforeTheStart(
  { draw, startsAt, startsInSeconds }: NonNullable<PlaceJson['event']>,
  { timeUntilEventStartFormatted: time }: PlaceJson['cfWaitingRoom'],
) {
  const { headline, drawn, byArrival, label, beside, title, now } = startTexts.before
  const isNow = startsInSeconds === 0
  return {
    headline,
    label,
    beside,
    lead: draw ? drawn : byArrival,
    title: isNow ? now : title.replace('{time}', time),
    placeText: isNow ? now : time[0]?.toUpperCase() + time.slice(1),
    placeClass: isNow ? 'pending' : 'words',
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

/** Returns the address that the page polls. */
export function statusUrl({ deployment }: Visit, { room }: Waiting): string {
  return `${deployment.controlPrefix}/status?room=${encodeURIComponent(room.name)}&claim=1`
}

function drawUrl({ deployment }: Visit, { room }: Waiting, { event }: PlaceJson): string {
  return `${deployment.controlPrefix}/draws/${event?.name}?room=${encodeURIComponent(room.name)}`
}

/** Returns the seconds until a page without scripts asks again. */
export function refreshSeconds({ state, pollAfterSeconds }: PlaceJson): number {
  const least = { waiting: REFRESH_MIN_SECONDS, called: REFRESH_CALLED_SECONDS, missed: REFRESH_MISSED_SECONDS }[state]
  return Math.max(least, Math.ceil(pollAfterSeconds))
}

/**
 * Returns JSON for a script. No `<` can end the script early. It is ASCII, because a single wide character makes the
 * encoding of the whole page slow.
 */
function inScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u0080-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
