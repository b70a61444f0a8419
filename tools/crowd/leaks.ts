/** Requests that reached the origin without an admission, counted by the origin itself. */
import type { Connections } from './connections.ts'
import type { VisitorRecord } from './tally.ts'

/** By visitor id, as in the demo shop's `/stats?visitors=1`. */
type SeenAtOrigin = Readonly<Record<string, { readonly requests: number; readonly session: string | null }>>

/** Enough for 200,000 visitors of about 120 bytes each. */
const STATS_BYTES_MAX = 64 * 1024 * 1024

/** Returns null when the origin has no such stats. The path must bypass the waiting room. */
export async function seenAtOrigin(connections: Connections, site: URL): Promise<SeenAtOrigin | null> {
  const url = new URL('/stats?visitors=1', site)
  const headers = { Accept: 'application/json' }
  const answer = await connections.send({ url, method: 'GET', headers, bodyBytesMax: STATS_BYTES_MAX })
  if (answer.kind === 'silence' || answer.status !== 200) return null
  try {
    const { visitors } = JSON.parse(answer.body)
    return visitors !== null && typeof visitors === 'object' ? visitors : null
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

/**
 * Counts the requests at the origin of visitors who were never admitted. A visitor counts as admitted when the site has
 * answered, or when a poll has reported the admission.
 *
 * A request without an answer may have been admitted lawfully. It is excused if the room had put its session header on
 * the visitor's first request, or if there was no room at all.
 */
export function leakedRequests(visitors: readonly VisitorRecord[], seen: SeenAtOrigin): number {
  const hasRoom = visitors.some(({ id }) => seen[id]?.session != null)
  let leaked = 0
  for (const { id, admittedMs, toldAdmitted, unanswered } of visitors) {
    const atOrigin = seen[id]
    if (!atOrigin || admittedMs !== null || toldAdmitted) continue
    const excused = hasRoom && atOrigin.session === null ? 0 : unanswered
    leaked += Math.max(0, atOrigin.requests - excused)
  }
  return leaked
}
