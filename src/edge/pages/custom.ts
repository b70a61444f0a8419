/**
 * The operator's own page, `custom_page_html`: a template with the variables of Cloudflare Waiting Room and ours. It is
 * for visitors in line, and for visitors rejected by the method `reject`. Other states have our own pages, because a
 * custom page was not written for them.
 */
import { hasPlaceBlock, withoutReload } from '../../settings/custom-page.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { needsInvitation, type OnPage, type Rejected, type Waiting } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import { type Language, languageHeaders } from '../texts/language.ts'
import { enterUrl, statusUrl } from './addresses.ts'
import { withLinks } from './links.ts'
import { formOf, leadsTo, type Page, pageHeaders, siteOf } from './page.ts'
import { type PlaceJson, placeJson, rejectedJson } from './place-json.ts'
import { parsed } from './template.ts'
import { placeBlock, refreshSeconds } from './waiting.ts'

/**
 * The author of the page decides about its styles, scripts and pictures. The policy forbids only plugins, and a base
 * address on another site. No page needs these.
 */
const POLICY = "object-src 'none'; base-uri 'self'"

/** The variable with the form that a visitor has sent. */
const SHOWS_FORM = /\{\{[{&]?\s*form\s*\}/
const NO_FORM = { form: null } as const

/** Parsed templates, one for each version of the settings: `at` of a room returns the same object until they change. */
const TEMPLATES = new WeakMap<RoomConfig, (variables: object) => string>()

/** Returns the page, or null in a room without a custom page. */
export async function customWaitingPage(visit: Visit, waiting: OnPage<Waiting>): Promise<Page | null> {
  const { config } = waiting.room.settings.at(visit.nowMs)
  const render = templateOf(config)
  if (!render) return null
  const template = config.custom_page_html
  const isAlive = hasPlaceBlock(template)
  const sent = isAlive || SHOWS_FORM.test(template) ? await formOf(visit) : NO_FORM
  const { form } = sent
  const place = placeJson(visit, waiting)
  const reloadSeconds = refreshSeconds(place, waiting.room.settings.config)
  const block = isAlive ? placeBlock(visit, waiting, sent) : null
  const html = render({
    ...published(place.cfWaitingRoom),
    refreshIntervalSeconds: reloadSeconds,
    ...ours(visit, place, languageFor(visit, waiting.room.settings.config)),
    position: place.position,
    peopleAhead: place.peopleAhead,
    called: place.called,
    claimBy: place.claimBy,
    missed: place.state === 'missed',
    held: place.held,
    soldOut: waiting.snapshot?.soldOut ?? false,
    slower: place.slower,
    reason: place.reason,
    drawAt: place.drawAt,
    lane: place.lane,
    invitation: place.invitation,
    requeued: waiting.requeuedBy !== null,
    ended: waiting.endedByInactivity !== null,
    eventName: place.event?.name ?? null,
    eventStartsAt: place.event?.startsAt ?? null,
    eventEndsAt: place.event?.endsAt ?? null,
    pollAfterSeconds: place.pollAfterSeconds,
    statusUrl: statusUrl(visit, waiting.room),
    enterUrl: enterUrl(visit, waiting.room, leadsTo(visit)),
    form,
    antesala: block,
  })
  const headers = headersOf(visit, waiting.room.settings.config)
  // Our block polls by itself, but a section of the page may leave it out. A reload would lose the visitor's form.
  if ((block !== null && html.includes(block)) || form !== null) return { html, headers }
  return { html, headers: { ...headers, Refresh: `${reloadSeconds}; url=${leadsTo(visit)}` } }
}

/**
 * Returns the page, or null in a room without a custom page. Also returns null if the visitor is rejected for another
 * reason than the method `reject`.
 */
export async function customRejectedPage(visit: Visit, rejected: OnPage<Rejected>): Promise<Page | null> {
  if (rejected.snapshot?.soldOut || needsInvitation(rejected.why) || rejected.why === 'transferred') return null
  const render = templateOf(rejected.room.settings.at(visit.nowMs).config)
  if (!render) return null
  const json = rejectedJson(visit, rejected)
  const html = render({
    ...published(json.cfWaitingRoom),
    ...ours(visit, json, languageFor(visit, rejected.room.settings.config)),
    form: await formFor(visit, rejected.room.settings.at(visit.nowMs).config),
  })
  return { html, headers: headersOf(visit, rejected.room.settings.config) }
}

/** Returns the visitor's form, if the page has the variable for it. Otherwise returns null. */
async function formFor(visit: Visit, { custom_page_html }: RoomConfig): Promise<string | null> {
  return SHOWS_FORM.test(custom_page_html) ? (await formOf(visit)).form : null
}

function templateOf(config: RoomConfig): ((variables: object) => string) | null {
  if (config.custom_page_html === '') return null
  const known = TEMPLATES.get(config)
  if (known) return known
  const render = parsed(withoutReload(config.custom_page_html))
  TEMPLATES.set(config, render)
  return render
}

/** Adds two variables that Cloudflare's templates have and its JSON does not. */
function published(variables: PlaceJson['cfWaitingRoom']) {
  const { waitTime } = variables
  return { ...variables, waitTimeHours: Math.floor(waitTime / 60), waitTimeHourMinutes: waitTime % 60 }
}

/** The language is that of the words in the variables. */
function headersOf(visit: Visit, config: RoomConfig) {
  return { ...pageHeaders(POLICY, config), ...languageHeaders(languageFor(visit, config)) }
}

type Shown = Pick<PlaceJson | ReturnType<typeof rejectedJson>, 'state' | 'message' | 'messageLanguage'>

/**
 * The values are safe in unescaped `{{{...}}}`: apart from `message`, none can contain a character with a meaning in
 * HTML. An unescaped `message` is replaced by `messageHtml`, in which only addresses are links.
 */
function ours(visit: Visit, { state, message, messageLanguage }: Shown, { tag, dir }: Language) {
  const messageHtml = withLinks(message)
  return { state, message, messageHtml, messageLanguage, lang: tag, dir, site: siteOf(visit), sent: !visit.isSafe }
}
