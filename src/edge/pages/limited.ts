/** The page of a limited visitor: what happened, when to go on, and a countdown where there are scripts. */
import countdownJs from '../../../static/countdown.js'
import html from '../../../static/limited.html'
import js from '../../../static/limited.js'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Refusal } from '../limits/refusal.ts'
import { seconds } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import { compact, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'
import { countdownInWords } from './words.ts'

const SCRIPT = compact(countdownJs + js)
/** The page does not reload after a longer wait, because no visitor looks at it for so long. */
const RELOADS_MAX_SECONDS = 600
const HEADLINE = 'One moment, please'
const render = template(html)
const headers = headersFor({ styles: [pageStyle], scripts: [SCRIPT] })

export async function limitedPage(visit: Visit, room: RoomConfig, refusal: Refusal): Promise<Page> {
  const { retryAfterMs, policy } = refusal
  const forGood = !Number.isFinite(retryAfterMs)
  const wait = forGood ? 0 : seconds(retryAfterMs)
  const words = forGood ? '' : countdownInWords(retryAfterMs)
  const reloads = visit.isSafe && !forGood && wait <= RELOADS_MAX_SECONDS
  const variables = {
    ...variablesOf(visit),
    script: SCRIPT,
    title: HEADLINE,
    headline: HEADLINE,
    lead: forGood
      ? 'This is more than the site allows at once, and it will not be allowed later either.'
      : policy?.perNetwork
        ? 'More came from your network than the site allows in so short a time. Nothing is lost.'
        : 'More came from this browser than the site allows in so short a time. You are still in, and nothing is lost.',
    seconds: wait,
    wait: words,
    isLong: words.length > 6,
    reloads,
    foot: reloads ? 'This page goes on by itself.' : 'Come back to this page then.',
  }
  return { html: render(variables), headers: await headers(room) }
}
