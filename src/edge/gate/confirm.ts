/**
 * Rooms with `turn = "confirm"`. A called visitor is asked first, and no permit is spent before the visitor confirms
 * (I1, I2). To confirm is to request the page for waiting with `enter=1`, so it works without scripts too.
 */
import type { Ticket } from '../../core/ticket.ts'
import { hasPlaceBlock } from '../../settings/custom-page.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'

export const ANSWER = 'enter'
/** The variable with the address to confirm, in a page of the operator. */
const LEADS_IN = /\{\{[{&]?\s*enterUrl\b/

/**
 * True if pages of this request ask for a confirmation. A page of the operator asks only if it has a way to confirm.
 */
export function asks(visit: Visit, { turn, custom_page_html }: RoomConfig): boolean {
  if (turn === 'enter' || isAnswer(visit)) return false
  return custom_page_html === '' || hasPlaceBlock(custom_page_html) || LEADS_IN.test(custom_page_html)
}

/**
 * True if this request asks instead of claiming. Only a visitor who has waited in line may have gone away, so only such
 * a visitor is asked.
 */
export function asksBeforeClaim(visit: Visit, config: RoomConfig, ticket: Ticket | null): boolean {
  return visit.kind === 'navigation' && visit.isSafe && Boolean(ticket?.confirmed) && asks(visit, config)
}

/** True if a request is for our own page for waiting. The origin never gets it, and the page leads on to the site. */
export function isWaitPage({ url, deployment }: Visit): boolean {
  return url.pathname === `${deployment.controlPrefix}/wait`
}

/** True if a request is a visitor's confirmation. */
function isAnswer(visit: Visit): boolean {
  return isWaitPage(visit) && visit.url.searchParams.get(ANSWER) === '1'
}
