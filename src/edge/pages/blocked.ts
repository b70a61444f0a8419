/** The page of a visitor whose request was blocked. It retries by itself, unless that would send a form twice. */
import html from '../../../static/blocked.html'
import scripts from '../../../static/scripts.json'
import type { Blocked } from '../origin/block.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import { languageFor, ownTextIn } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { counted } from '../texts/words.ts'
import { withLinks } from './links.ts'
import { formOf, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

/**
 * A page reloads this much later than a program retries, because a reload loads a whole page and interrupts its reader.
 */
const REFRESH_LATER_SECONDS = 15
const SCRIPT = scripts.blocked
const render = template(html)
const headers = headersFor({ styles: [pageStyle], scripts: [SCRIPT] })

export async function blockedPage(
  visit: Visit,
  { why, isInside, room }: Pick<Blocked, 'why' | 'isInside'> & { readonly room: RoomView },
  message: ReturnType<typeof ownTextIn>,
  retryAfterMs: number,
): Promise<Page> {
  const language = languageFor(visit, room.settings.config)
  const form = await formOf(visit)
  const sentText = language.texts.blocked.sent
  const text = { ...textOf(why, isInside, language), ...form, sentText }
  return page(visit, room, { ...text, message }, retryAfterMs)
}

/**
 * Returns the page for an origin that gave no answer. The origin may have received a form, so the page does not
 * offer to send it again.
 */
export async function failedPage(
  visit: Visit,
  room: RoomView,
  why: 'timeout' | 'unreachable',
  retryAfterMs: number,
): Promise<Page> {
  const { config } = room.settings.at(visit.nowMs)
  const language = languageFor(visit, room.settings.config)
  const { problems, blocked } = language.texts
  const lead = visit.isSafe ? blocked.outageOutside.lead : blocked.unknown
  const message = ownTextIn(config.message, language, config)
  return page(visit, room, { headline: problems[why], lead, form: null, sentText: null, message }, retryAfterMs)
}

interface Shown {
  readonly headline: string
  readonly lead: string
  readonly form: string | null
  /** A sentence about whether the form was sent. */
  readonly sentText: string | null
  readonly message: ReturnType<typeof ownTextIn>
}

async function page(visit: Visit, room: RoomView, shown: Shown, retryAfterMs: number): Promise<Page> {
  const { config } = room.settings
  const language = languageFor(visit, config)
  const refreshSeconds = REFRESH_LATER_SECONDS + Math.ceil(retryAfterMs / 1_000)
  const variables = {
    ...variablesOf(visit, language, config),
    ...shown,
    title: shown.headline,
    script: SCRIPT,
    message: shown.message.text,
    messageHtml: withLinks(shown.message.text),
    messageLanguage: shown.message.lang,
    refreshSeconds,
    retry: counted(language.texts.blocked.retry, refreshSeconds, language),
  }
  return { html: render(variables), headers: await headers(config, language, shown.form !== null) }
}

/** A visitor without a session is not promised to keep one. Only a block by the operator can concern such a visitor. */
function textOf(why: Blocked['why'], isInside: boolean, { texts }: Language) {
  const { outage, blocked, shed, outageOutside, blockedOutside } = texts.blocked
  switch (why) {
    case 'outage':
      return isInside ? outage : outageOutside
    case 'blocked':
      return isInside ? blocked : blockedOutside
    case 'shed':
      return shed
  }
}
