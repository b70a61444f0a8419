/**
 * Detects an origin that does not get the visitor's Host. Such an origin builds addresses from its own host, which
 * visitors cannot reach.
 */

import { log } from '../../runtime/log.ts'
import type { Visit } from '../request/visit.ts'

/** One log line for each isolate is enough, because each redirect shows the same mistake. */
let isLogged = false

/** Logs the first redirect of an origin to its own host, with the remedy. The answer is not changed. */
export function noteRedirect(visit: Visit, response: Response): void {
  if (isLogged || response.status < 300 || response.status > 399) return
  const { origin, originHostHeader } = visit.deployment
  if (origin === null || originHostHeader === 'visitor') return
  const own = new URL(origin).host
  const location = response.headers.get('Location') ?? ''
  if (own === visit.url.host || !URL.canParse(location) || new URL(location).host !== own) return
  isLogged = true
  log('origin-own-redirect', {
    detail:
      `the origin redirects to its own host ${own}, because it does not get the visitor's Host. ` +
      'Serve with --origin-host-header visitor (on Cloudflare: leave ORIGIN empty), ' +
      'or make the origin trust X-Forwarded-Host',
  })
}
