/**
 * Rooms with `turn = "confirm"`: a called visitor is asked first, and no permit is spent before the answer (I1, I2).
 * The answer is a request for the page for waiting with `enter=1`, so it works without scripts too.
 */
import type { Ticket } from '../../core/ticket.ts'
import { hasPlaceBlock } from '../../settings/custom-page.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'

export const ANSWER = 'enter'
/** The variable of a page of the operator that leads to the answer. */
const LEADS_IN = /\{\{[{&]?\s*enterUrl\b/

/** Whether pages of this request ask. A page of the operator asks only if its visitor can answer on it. */
export function asks(visit: Visit, { turn, custom_page_html }: RoomConfig): boolean {
  if (turn === 'enter' || isAnswer(visit)) return false
  return custom_page_html === '' || hasPlaceBlock(custom_page_html) || LEADS_IN.test(custom_page_html)
}

/** Whether this request asks instead of claiming. Only a visitor who has stood in line may have gone away. */
export function asksBeforeClaim(visit: Visit, config: RoomConfig, ticket: Ticket | null): boolean {
  return visit.kind === 'navigation' && visit.isSafe && Boolean(ticket?.confirmed) && asks(visit, config)
}

/**
 * Whether a request is for the page for waiting. This page leads on to the site, and the origin never gets its request.
 */
export function isWaitPage({ url, deployment }: Visit): boolean {
  return url.pathname === `${deployment.controlPrefix}/wait`
}

/** Whether a request is the answer of a visitor who goes in. */
function isAnswer(visit: Visit): boolean {
  return isWaitPage(visit) && visit.url.searchParams.get(ANSWER) === '1'
}
