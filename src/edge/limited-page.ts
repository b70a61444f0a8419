/** The page of a limited visitor: what happened, when to go on, and a countdown where there are scripts. */
import Mustache from 'mustache'
import html from '../../static/limited.html'
import js from '../../static/limited.js'
import { compact, hashOf, pageStyle, refreshUrl } from './page.ts'
import { seconds } from './problem.ts'
import type { Visit } from './visit.ts'

const SCRIPT = compact(js)
const WRITER = new Mustache.Writer()
const TEMPLATE = WRITER.parse(html)
/** A longer wait is not counted down by reloading: nobody looks at it for so long. */
const RELOADS_MAX_SECONDS = 600

let policy: string | null = null

export function limitedPage(visit: Visit, retryAfterMs: number): string {
  const { method } = visit.request
  const sent = method !== 'GET' && method !== 'HEAD'
  const forGood = !Number.isFinite(retryAfterMs)
  const wait = forGood ? 0 : seconds(retryAfterMs)
  const reloads = !sent && !forGood && wait <= RELOADS_MAX_SECONDS
  const variables = {
    style: pageStyle,
    script: SCRIPT,
    site: visit.url.host,
    headline: 'One moment, please',
    lead: forGood
      ? 'This is more than the site allows at once, and it will not be allowed later either.'
      : 'More came from this browser than the site allows in so short a time. You are still in, and nothing is lost.',
    seconds: wait,
    wait: inWords(wait),
    isLong: inWords(wait).length > 6,
    sent,
    reloads,
    url: refreshUrl(visit.url),
    foot: reloads ? 'This page goes on by itself.' : 'Come back to this page then.',
  }
  return WRITER.renderTokens(TEMPLATE, new Mustache.Context(variables), undefined, html)
}

export async function limitedPagePolicy(): Promise<string> {
  policy ??= [
    "default-src 'none'",
    `script-src ${await hashOf(SCRIPT)}`,
    `style-src ${await hashOf(pageStyle)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return policy
}

/** What is read without scripts: `7 seconds`, `4 minutes`. */
function inWords(wait: number): string {
  if (wait < 120) return `${wait} ${wait === 1 ? 'second' : 'seconds'}`
  if (wait < 7_200) return `${Math.ceil(wait / 60)} minutes`
  return `${Math.ceil(wait / 3_600)} hours`
}
