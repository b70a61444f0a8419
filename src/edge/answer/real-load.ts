/**
 * Makes a library load a whole page. Some libraries load pages by script and show them inside the present page, where
 * the waiting page would have neither its scripts nor its style. A request that changes something is left alone,
 * because its visitor's input is still on the page.
 */
import { waitUrl } from '../pages/addresses.ts'
import { refreshUrl } from '../pages/page.ts'
import { loaderOf } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** Returns the answer for a visitor outside, in the form that the library behind the request understands. */
export function withRealLoad(visit: Visit, room: RoomClient, response: Response): Response {
  const loader = visit.isSafe ? loaderOf(visit.request.headers) : null
  switch (loader) {
    case null:
      return response
    case 'htmx':
      response.headers.set('HX-Redirect', pageFor(visit, room))
      return response
    case 'turbo':
      response.headers.set('Turbo-Visit-Control', 'reload')
      return response
    case 'inertia': {
      const { headers } = response
      headers.set('X-Inertia-Location', refreshUrl(visit.url))
      headers.delete('Content-Type')
      return new Response(null, { status: 409, headers })
    }
  }
}

/**
 * Returns the page to load for a request of htmx. htmx may have requested only a part of a page. Then the visitor waits
 * on a page of ours, and comes back to the present page.
 */
function pageFor(visit: Visit, room: RoomClient): string {
  const { headers } = visit.request
  if (headers.get('HX-Boosted') === 'true') return refreshUrl(visit.url)
  const current = URL.parse(headers.get('HX-Current-URL') ?? '')
  const to = current?.host === visit.url.host ? `&to=${encodeURIComponent(refreshUrl(current))}` : ''
  return waitUrl(visit, room) + to
}
