/** The page of a visitor whose request was blocked. It retries by itself, unless that would send something twice. */
import html from '../../../static/holding.html'
import type { Held } from '../origin/block.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor, type ownTextIn } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { counted } from '../texts/words.ts'
import { formOf, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

/** A reload is a whole page, so it comes no more often than every 5 s. */
const REFRESH_MIN_SECONDS = 5
const render = template(html)
const headers = headersFor({ styles: [pageStyle] })

export async function heldPage(
  visit: Visit,
  { why, isInside, room }: Held,
  { text: message, lang: messageLanguage }: ReturnType<typeof ownTextIn>,
  retryAfterMs: number,
): Promise<Page> {
  const language = languageFor(visit, room.settings.config)
  const text = textOf(why, isInside, language)
  const refreshSeconds = Math.max(REFRESH_MIN_SECONDS, Math.ceil(retryAfterMs / 1_000))
  const form = await formOf(visit)
  const variables = {
    ...variablesOf(visit, language),
    ...form,
    ...text,
    title: text.headline,
    message,
    messageLanguage,
    refreshSeconds,
    retry: counted(language.texts.holding.retry, refreshSeconds, language),
  }
  return { html: render(variables), headers: await headers(room.settings.config, language, form.form) }
}

/** A visitor without a session has none to keep. Only a block by the operator can concern such a visitor. */
function textOf(why: Held['why'], isInside: boolean, { texts }: Language) {
  const { outage, blocked, shed, outageOutside, blockedOutside } = texts.holding
  switch (why) {
    case 'outage':
      return isInside ? outage : outageOutside
    case 'blocked':
      return isInside ? blocked : blockedOutside
    case 'shed':
      return shed
  }
}
