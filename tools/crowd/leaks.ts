/** Requests that reached the origin without an admission, by the origin's own account. */
import type { Connections } from './connections.ts'
import type { VisitorRecord } from './tally.ts'

/** By visitor id, as the demo shop's `/stats?visitors=1` tells it. */
export type SeenAtOrigin = Readonly<Record<string, { readonly requests: number; readonly session: string | null }>>

/** 200,000 visitors of some 120 bytes fit well. */
const STATS_BYTES_MAX = 64 * 1024 * 1024

/** Null when the origin has no such stats. The path must bypass the waiting room. */
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
 * The crowd counts as admitted whom the site has answered, or the room has told so. A request that never got its answer may
 * have been let in lawfully just the same: it is excused if the room had put its mark on it, or if there was no room at all.
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
