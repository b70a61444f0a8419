/** An origin that does not see the visitor's Host builds addresses from its own, where visitors cannot follow. */
import type { Visit } from '../request/visit.ts'

/** Once in the life of an isolate: each redirect would say the same. */
let isLogged = false

/** Logs the first redirect of an origin to its own host, with the cure. The answer goes on as it is. */
export function noteRedirect(visit: Visit, response: Response): void {
  if (isLogged || response.status < 300 || response.status > 399) return
  const { origin, originHostHeader } = visit.deployment
  if (origin === null || originHostHeader === 'visitor') return
  const own = new URL(origin).host
  const location = response.headers.get('Location') ?? ''
  if (own === visit.url.host || !URL.canParse(location) || new URL(location).host !== own) return
  isLogged = true
  console.warn(
    `origin: redirects to its own host ${own}, for it does not see the visitor's. ` +
      'Serve with --origin-host-header visitor (on Cloudflare: leave ORIGIN empty), ' +
      'or let the origin believe X-Forwarded-Host',
  )
}
