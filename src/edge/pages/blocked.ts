/** The page of a visitor whose request was blocked. It retries by itself, unless that would send something twice. */
import html from '../../../static/holding.html'
import type { Held } from '../origin/block.ts'
import type { Visit } from '../request/visit.ts'
import { headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

const HELD: Readonly<Record<Held['why'], { headline: string; lead: string }>> = {
  outage: {
    headline: 'We are holding your place',
    lead: 'The site has trouble answering at the moment. You are still inside: nothing is lost, and your time does not run. You will be back as soon as it answers again.',
  },
  blocked: {
    headline: 'This part is taking a short break',
    lead: 'It cannot answer at the moment. The rest of the site works as usual, and your place is kept.',
  },
  shed: {
    headline: 'One moment, please',
    lead: 'The site is very busy, and this page can wait a little. Your place is kept.',
  },
}
/** For a visitor without a session to keep. Only a block by the operator can concern such a visitor. */
const OUTSIDE = {
  outage: {
    headline: 'The site is taking a short break',
    lead: 'It cannot answer at the moment. Keep this page open: it opens the site as soon as it answers again.',
  },
  blocked: {
    headline: HELD.blocked.headline,
    lead: 'It cannot answer at the moment. The rest of the site works as usual.',
  },
}
/** A reload is a whole page, so it comes no more often than every 5 s. */
const REFRESH_MIN_SECONDS = 5
const render = template(html)
const headers = headersFor({ styles: [pageStyle] })

export async function heldPage(
  visit: Visit,
  { why, isInside, room }: Held,
  message: string,
  retryAfterMs: number,
): Promise<Page> {
  const text = isInside || why === 'shed' ? HELD[why] : OUTSIDE[why]
  const variables = {
    ...variablesOf(visit),
    ...text,
    title: text.headline,
    message,
    refreshSeconds: Math.max(REFRESH_MIN_SECONDS, Math.ceil(retryAfterMs / 1_000)),
  }
  return { html: render(variables), headers: await headers(room.settings.config) }
}
