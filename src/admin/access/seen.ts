/**
 * Records logins for the audit log. Tokens have no session, so a login is the first request in twelve hours of an
 * operator from one network to one room. The room decides whether a request is a login. This memory spares the room a
 * question for each request.
 */
import type { MiddlewareHandler } from 'hono'
import { LRUCache } from 'lru-cache'
import type { AdminTypes } from '../context.ts'
import { record } from '../record.ts'

const SEEN_MAX = 1_000
/**
 * While an operator stays, the room is asked again after this time. If it were twelve hours, the next login might be
 * recorded late.
 */
const ASKED_EVERY_MS = 60 * 60_000

/** Records logins to the room that the path names, in the background. */
export function createLoginRecorder(): MiddlewareHandler<AdminTypes> {
  const seen = new LRUCache<string, number>({ max: SEEN_MAX })
  return async (context, next) => {
    const { deployment, network, nowMs } = context.env.visit
    const room = context.req.param('name') ?? ''
    const { by, name } = context.get('identity')
    const key = [room, by, name, network].join(' ')
    const isRoom = deployment.rooms.some(({ name }) => name === room)
    if (isRoom && nowMs - (seen.get(key) ?? Number.NEGATIVE_INFINITY) >= ASKED_EVERY_MS) {
      seen.set(key, nowMs)
      // A room that does not answer is logged elsewhere. The next request of this operator tries again.
      context.executionCtx.waitUntil(record(context, 'logged-in', null).catch(() => void seen.delete(key)))
    }
    await next()
  }
}
