/**
 * A visitor's place as data: for API clients, for the page's polls, and for page templates.
 *
 * `cfWaitingRoom` has the published variables of Cloudflare Waiting Room's JSON, so that its clients and templates work
 * unchanged. The fields beside it are ours.
 */
import { quartilesOf, type Wait } from '../../core/place/estimate.ts'
import { isUndrawn, othersCalled } from '../../core/place/place.ts'
import type { Snapshot } from '../../core/protocol/messages.ts'
import type { EventInForce, RoomSettings } from '../../settings/compiled/room.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { needsInvitation, type OnPage, type Rejected, type Waiting } from '../gate/verdict.ts'
import { seconds } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import { languageFor, ownTextIn } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { endOfWaitMs, inWords, waitInWords } from '../texts/words.ts'
import { statusUrl, waitUrl } from './addresses.ts'

const NO_PLACE = {
  position: null,
  peopleAhead: null,
  waitSeconds: null,
  likelyAt: null,
  called: false,
  othersCalled: null,
  claimBy: null,
  claimInSeconds: null,
  drawAt: null,
  event: null,
  held: false,
  soldOut: false,
  slower: null,
  reason: null,
  lane: null,
  invitation: null,
  challenge: null,
  pollAfterSeconds: null,
} as const

/** The wait of a called visitor. The page promises that it is less than a minute. */
const SOON = { low: 0, likely: 0, high: 60 } as const

/** A place as JSON: the published variables, and our own ones. */
export type PlaceJson = ReturnType<typeof placeJson>

/**
 * Returns the place of a visitor. Each poll makes this object, so it is written in one piece: an object that is put
 * together from others takes several times as long. A member that is undefined is not in the JSON.
 */
export function placeJson(visit: Visit, waiting: OnPage<Waiting>) {
  const { nowMs } = visit
  const { room, place, snapshot, requeuedBy } = waiting
  const settings = room.settings.at(nowMs)
  const { config, event } = settings
  const language = languageFor(visit, room.settings.config)
  const called = place.state === 'called'
  const ahead = place.state === 'waiting' ? place.ahead : 0
  const wait = place.state === 'waiting' && place.position !== null ? place.wait : null
  // A called visitor waits only a moment, unless the room admits no visitor now. Templates written for Cloudflare show
  // the wait only if `waitTimeKnown` is true.
  const isSoon = called && !(snapshot?.held ?? false)
  const cfWaitingRoom = published(settings, { snapshot, wait, nowMs, language, retryAfterMs: waiting.pollAfterMs })
  if (isSoon) {
    cfWaitingRoom.waitTimeKnown = true
    cfWaitingRoom.waitTimeFormatted = language.texts.time.short
  }
  cfWaitingRoom.infiniteQueue = waiting.why === 'failed-challenge'
  const { message, messageLanguage } = messageOf(config, snapshot?.soldOut ?? false, language)
  return {
    cfWaitingRoom,
    room: room.name,
    statusUrl: statusUrl(visit, room),
    pageUrl: waitUrl(visit, room),
    state: placeState(waiting),
    position: place.state === 'waiting' ? place.position : called ? waiting.ticket.low : null,
    peopleAhead: place.state === 'waiting' && place.position !== null ? Math.min(ahead, place.position - 1) : null,
    waitSeconds: isSoon ? SOON : waitSeconds(wait),
    likelyAt: isoOf(endOfWaitMs(wait, nowMs)),
    called,
    othersCalled: called && snapshot ? othersCalled(waiting.ticket, snapshot) : null,
    claimBy: called && waiting.ticket.byMs !== null ? new Date(waiting.ticket.byMs).toISOString() : null,
    claimInSeconds: called && waiting.ticket.byMs !== null ? inSeconds(Math.max(0, waiting.ticket.byMs - nowMs)) : null,
    drawAt: isUndrawn(place) ? new Date(place.drawnMs).toISOString() : null,
    event: eventJson(event, waiting, nowMs),
    held: snapshot?.held ?? false,
    soldOut: snapshot?.soldOut ?? false,
    slower: snapshot?.slowed ?? null,
    slowerText: snapshot?.slowed ? language.texts.slower[snapshot.slowed] : undefined,
    reason: snapshot?.health?.reason ?? null,
    lane: waiting.ticket.lane,
    invitation: waiting.invitation === 'none' ? null : waiting.invitation,
    message,
    messageLanguage,
    ended: waiting.endedByInactivity ? ('inactivity' as const) : undefined,
    requeued: requeuedBy === null ? undefined : true,
    'violated-policies': requeuedBy === null ? undefined : [requeuedBy],
    challenge: waiting.challenge,
    pollAfterSeconds: Math.ceil(waiting.pollAfterMs / 100) / 10,
  }
}

/** Returns the state of a visitor in line. */
export function placeState({ place, missed }: OnPage<Waiting>): 'waiting' | 'called' | 'missed' {
  return place.state === 'called' ? 'called' : missed ? 'missed' : 'waiting'
}

/** Returns the data for a visitor whom the room rejects. */
export function rejectedJson(visit: Visit, { room, snapshot, why, retryAfterMs }: OnPage<Rejected>) {
  const { nowMs } = visit
  const { config } = room.settings.at(nowMs)
  const language = languageFor(visit, room.settings.config)
  const inviteOnly = needsInvitation(why)
  const transferred = why === 'transferred'
  const soldOut = snapshot?.soldOut ?? false
  return {
    cfWaitingRoom: {
      ...published(room.settings.at(nowMs), { snapshot, wait: null, nowMs, language, retryAfterMs }),
      queueIsFull: !inviteOnly && !transferred,
    },
    ...addressesOf(visit, room),
    ...NO_PLACE,
    state: 'rejected' as const,
    soldOut,
    inviteOnly,
    transferred,
    invitation: why === 'invalid-invitation' ? ('invalid' as const) : null,
    ...messageOf(config, soldOut, language),
  }
}

/**
 * Returns the data for a visitor who is inside, or whose poll was just admitted. `endsMs` is the end of the session, if
 * it is known.
 */
export function insideJson(visit: Visit, room: RoomView, endsMs: number | null = null) {
  const { nowMs } = visit
  const { config } = room.settings.at(nowMs)
  return {
    cfWaitingRoom: { inWaitingRoom: false, lastUpdated: new Date(nowMs).toISOString() },
    ...addressesOf(visit, room),
    ...NO_PLACE,
    state: 'admitted' as const,
    session: endsMs === null ? null : sessionJson(config, endsMs - nowMs),
    ...messageOf(config, false, languageFor(visit, room.settings.config)),
  }
}

function sessionJson({ disable_session_renewal }: RoomConfig, leftMs: number) {
  return { endsInSeconds: Math.max(0, Math.floor(leftMs / 1_000)), renewable: !disable_session_renewal }
}

function addressesOf(visit: Visit, room: RoomView) {
  return { room: room.name, statusUrl: statusUrl(visit, room), pageUrl: waitUrl(visit, room) }
}

function waitSeconds(wait: Wait | null) {
  return wait && { low: inSeconds(wait.lowMs), likely: inSeconds(wait.likelyMs), high: inSeconds(wait.highMs) }
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

function inSeconds(ms: number): number {
  return Math.ceil(ms / 1_000)
}

/** Returns the current event, with all that a visitor needs to count down to its start and to verify its draw. */
function eventJson(event: EventInForce | null, { ticket, place }: OnPage<Waiting>, nowMs: number) {
  if (event === null) return null
  const waits = place.state === 'waiting' && typeof place.startsMs === 'number'
  return {
    name: event.name,
    startsAt: new Date(event.startMs).toISOString(),
    endsAt: new Date(event.endMs).toISOString(),
    startsInSeconds: waits ? Math.max(0, Math.ceil((event.startMs - nowMs) / 100) / 10) : null,
    draw: event.shuffles ? { sid: ticket.sid, isEntry: Boolean(ticket.entry) } : null,
  }
}

function messageOf(config: RoomConfig, soldOut: boolean, language: Language) {
  const ofStock = soldOut ? ownTextIn(config.sold_out_message, language, config) : null
  const { text, lang } = ofStock && ofStock.text !== '' ? ofStock : ownTextIn(config.message, language, config)
  return { message: text, messageLanguage: lang }
}

interface Seen {
  readonly snapshot: Snapshot | null
  readonly wait: Wait | null
  readonly nowMs: number
  readonly language: Language
  readonly retryAfterMs: number
}

/** Returns the 25 published variables. Callers then set the ones that depend on the visitor. */
function published({ config, event }: RoomSettings, { snapshot, wait, nowMs, language, retryAfterMs }: Seen) {
  const { unknown } = language.texts.time
  const method = config.queueing_method
  const startInMs = event?.isPrequeue ? event.startMs - nowMs : null
  const endInMs = event ? event.endMs - nowMs : null
  const quartiles = wait && quartilesOf(wait.likelyMs)
  return {
    inWaitingRoom: true,
    waitTimeKnown: wait !== null,
    waitTime: minutes(wait?.likelyMs),
    waitTime25Percentile: minutes(quartiles?.lowMs),
    waitTime50Percentile: minutes(wait?.likelyMs),
    waitTime75Percentile: minutes(quartiles?.highMs),
    waitTimeFormatted: waitInWords(wait, language),
    queueIsFull: false,
    queueAll: config.queue_all,
    lastUpdated: new Date(snapshot?.asOfMs ?? nowMs).toISOString(),
    refreshIntervalSeconds: seconds(retryAfterMs),
    queueingMethod: method,
    isFIFOQueue: method === 'fifo',
    isRandomQueue: method === 'random',
    isPassthroughQueue: method === 'passthrough',
    isRejectQueue: method === 'reject',
    // As with Cloudflare, an event is active from the beginning of its prequeue.
    isEventActive: event !== null,
    isEventPrequeueing: event?.isPrequeue ?? false,
    timeUntilEventStart: minutes(startInMs ?? undefined),
    timeUntilEventStartFormatted: startInMs === null ? unknown : inWords(startInMs, language),
    timeUntilEventEnd: minutes(endInMs ?? undefined),
    timeUntilEventEndFormatted: endInMs === null ? unknown : inWords(endInMs, language),
    shuffleAtEventStart: event?.shuffles ?? false,
    // Empty, as with Cloudflare without a challenge. Templates check it.
    turnstile: '',
    infiniteQueue: false,
  }
}

function minutes(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.ceil(ms / 60_000)
}
