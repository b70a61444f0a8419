/**
 * Every page of a room in every state, for its operator: as it is now, or with settings that are only tried. The pages
 * are those of visitors, made by the same code. Only scripts and reloads are removed, because they would move the page
 * on.
 */
import { compile } from '../../settings/compiled/room.ts'
import { withoutReload } from '../../settings/custom-page.ts'
import { withOverrides } from '../../settings/rooms.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import { languageFor, ownTextIn } from '../texts/choose.ts'
import { blockedPage, failedPage } from './blocked.ts'
import { customRejectedPage, customWaitingPage } from './custom.ts'
import { limitedPage } from './limited.ts'
import type { Page } from './page.ts'
import { codePage, takePage } from './place/transfer.ts'
import { rejectedPage } from './rejected.ts'
import { resubmitPage } from './resubmit.ts'
import { rejectedSample, SAMPLES, STARTS_IN_MS, waitingSample } from './samples.ts'
import { waitingPage } from './waiting.ts'

export const SCHEMES = ['light', 'dark'] as const

export interface Preview {
  /** The name of a page: one of `PREVIEW_PAGES`. */
  readonly page: string
  /** A BCP 47 tag. Null means the language of the operator's browser. */
  readonly language: string | null
  /** The colour scheme. Null leaves the choice to the browser. */
  readonly scheme: (typeof SCHEMES)[number] | null
}

const RETRY_MS = 40_000
const FORM = 'item=42'
const CODE = 'EU0-7K3M9-QX4PA'

/** The names of all pages. */
export const PREVIEW_PAGES: readonly string[] = Object.values(SAMPLES).flat()

/** Returns a page as HTML, or null if no page has the name. */
export async function previewOf(visit: Visit, config: RoomConfig, preview: Preview): Promise<string | null> {
  const seen = visitTo(visit, config, preview)
  const page = await pageOf(seen, config, preview.page)
  return page && inScheme(atRest(page.html, seen.url), preview.scheme)
}

async function pageOf(visit: Visit, config: RoomConfig, name: string): Promise<Page | null> {
  const { nowMs } = visit
  const has = (names: readonly string[]) => names.includes(name)
  const room = viewOf(
    has(SAMPLES.withEvent)
      ? withEvent(config, name, nowMs)
      : has(SAMPLES.withChallenge)
        ? { ...config, challenge: { ...config.challenge, when: 'crowded' } }
        : config,
  )
  if (has([...SAMPLES.waiting, ...SAMPLES.withEvent, ...SAMPLES.withChallenge])) {
    const waiting = waitingSample(name, room, nowMs)
    return (await customWaitingPage(visit, waiting)) ?? waitingPage(visit, waiting)
  }
  if (has(SAMPLES.rejected)) {
    const rejected = rejectedSample(name, room, nowMs)
    return (await customRejectedPage(visit, rejected)) ?? rejectedPage(visit, rejected)
  }
  if (has(SAMPLES.limited)) {
    const retryAfterMs = name === 'limited-for-good' ? Number.POSITIVE_INFINITY : RETRY_MS
    return limitedPage(visit, config, { retryAfterMs, policy: { perNetwork: name === 'limited-network' } })
  }
  if (has(SAMPLES.blocked)) {
    const why = name.startsWith('part') ? 'blocked' : name === 'shed' ? 'shed' : 'outage'
    const message = ownTextIn(config.message, languageFor(visit, config), config)
    return blockedPage(visit, { why, isInside: !name.endsWith('outside'), room }, message, RETRY_MS)
  }
  if (has(SAMPLES.failed)) return failedPage(visit, room, name === 'origin-slow' ? 'timeout' : 'unreachable', RETRY_MS)
  if (has(SAMPLES.transfer)) return transferSample(visit, room, name)
  return has(SAMPLES.resubmit) ? resubmitPage(visit, config) : null
}

function transferSample(visit: Visit, room: RoomView, name: string): Promise<Page> {
  if (name === 'transfer') return codePage(visit, room, { code: CODE, state: 'waiting', to: '/' })
  return takePage(visit, room, { code: CODE, by: '', isInvalid: name === 'transfer-bad-code' })
}

function viewOf(config: RoomConfig): RoomView {
  return { name: config.name, settings: compile(config) }
}

/** Returns the settings with an event whose prequeue is on. */
function withEvent(config: RoomConfig, name: string, nowMs: number): RoomConfig {
  const at = (ms: number) => new Date(nowMs + ms).toISOString()
  const event = {
    name: 'sample',
    prequeue_start_time: at(-STARTS_IN_MS),
    event_start_time: at(STARTS_IN_MS),
    event_end_time: at(3 * STARTS_IN_MS),
    shuffle_at_event_start: name === 'before-draw',
  }
  return withOverrides(config, { events: [event] })
}

/** Returns the request that a visitor would send for the page that the operator wants to see. */
function visitTo(visit: Visit, { host, path }: RoomConfig, { page, language }: Preview): Visit {
  const url = new URL(path, `${visit.url.protocol}//${host.replace(/^\*\.?/, '') || visit.url.host}`)
  if (language !== null) url.searchParams.set('lang', language)
  const headers = new Headers({ Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' })
  headers.set('Accept-Language', visit.request.headers.get('Accept-Language') ?? '')
  const sends = page === 'form' || page === 'resubmit'
  if (sends) {
    headers.set('Content-Type', 'application/x-www-form-urlencoded')
    headers.set('Content-Length', String(FORM.length))
  }
  const request = new Request(url, { headers, ...(sends ? { method: 'POST', body: FORM } : {}) })
  const background = { waitUntil: (done: Promise<unknown>) => visit.waitUntil(done) }
  return new Visit({ request, url, nowMs: visit.nowMs }, { env: visit.env, deployment: visit.deployment, background })
}

/** Removes everything that would move a page on, and makes its pictures and links point to the site. */
function atRest(html: string, { origin }: URL): string {
  return withoutReload(html.replace(/<noscript>.*?<\/noscript>\n?/gs, ''))
    .replace(/<script\b.*?<\/script>\n?/gs, '')
    .replace(/(<head>|<meta charset=[^>]*>)/i, `$1<base href="${origin}/" target="_blank">`)
}

/** Fixes the colour scheme, which the visitor's device would choose otherwise. */
function inScheme(html: string, scheme: Preview['scheme']): string {
  if (scheme === null) return html
  return html
    .replace(/\(prefers-color-scheme: ?dark\)/g, scheme === 'dark' ? 'all' : 'not all')
    .replace('<meta name="color-scheme" content="light dark">', `<meta name="color-scheme" content="${scheme}">`)
}
