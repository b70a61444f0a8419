/** The page of a limited visitor: what happened, when to go on, and a countdown if there are scripts. */
import html from '../../../static/limited.html'
import scripts from '../../../static/scripts.json'
import type { RoomConfig } from '../../settings/schema.ts'
import { seconds } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import { countdownInWords } from '../texts/words.ts'
import { formOf, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

const SCRIPT = scripts.limited
/** After a longer wait than this the page does not reload, because no visitor looks at it for so long. */
const RELOADS_MAX_SECONDS = 600
const render = template(html)
const headers = headersFor({ styles: [pageStyle], scripts: [SCRIPT] })

/** The part of a refusal that the page shows. */
interface Shown {
  readonly retryAfterMs: number
  readonly policy: { readonly perNetwork: boolean } | null
}

export async function limitedPage(visit: Visit, room: RoomConfig, refusal: Shown): Promise<Page> {
  const { retryAfterMs, policy } = refusal
  const language = languageFor(visit, room)
  const { limited } = language.texts
  const forGood = !Number.isFinite(retryAfterMs)
  const wait = forGood ? 0 : seconds(retryAfterMs)
  const words = forGood ? '' : countdownInWords(retryAfterMs, language)
  const reloads = visit.isSafe && !forGood && wait <= RELOADS_MAX_SECONDS
  const form = await formOf(visit)
  const variables = {
    ...variablesOf(visit, language, room),
    ...form,
    script: SCRIPT,
    title: limited.headline,
    headline: limited.headline,
    lead: forGood ? limited.never : policy?.perNetwork ? limited.network : limited.session,
    seconds: wait,
    wait: words,
    isLong: words.length > 6,
    reloads,
    foot: forGood ? null : reloads ? limited.reloads : limited.comeBack,
  }
  return { html: render(variables), headers: await headers(room, language, form.form !== null) }
}
