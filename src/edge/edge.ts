/** The edge of one isolate. It finds the rooms of a request, asks the gate of each room, and proxies or answers. */

import { log, logError } from '../runtime/log.ts'
import type { Upstream } from '../settings/compiled/health.ts'
import type { Deployment } from '../settings/deployment.ts'
import { isOnlyAdminHost } from '../settings/deployment.ts'
import type { Env } from '../settings/env.ts'
import { SettingsError } from '../settings/messages.ts'
import { matchesHost } from '../settings/patterns.ts'
import { KeyRingError } from '../tokens/keyring.ts'
import { blockedResponse } from './answer/blocked.ts'
import { endingWithSession } from './answer/event-stream.ts'
import { markedBy, stateOf } from './answer/mark.ts'
import { originFailed } from './answer/origin-failed.ts'
import { addTokens, answerHere, passOn } from './answer/respond.ts'
import { withTrace } from './answer/trace.ts'
import { healthWithoutSetup } from './control/readiness.ts'
import { controlRoutes } from './control/routes.ts'
import { afterTurn } from './gate/after-turn.ts'
import { decide } from './gate/decide.ts'
import { takeOffAddress } from './gate/invitation.ts'
import type { Admitted, Verdict } from './gate/verdict.ts'
import { marked } from './mark.ts'
import { type Blocked, blockedByOperator, blockFor } from './origin/block.ts'
import { withIdleTimeout } from './origin/body-timeout.ts'
import { type Passage, strictest } from './origin/onward.ts'
import { proxy } from './origin/proxy.ts'
import { Watch } from './origin/timing.ts'
import { problemResponse, tryAgainShortly } from './problem.ts'
import type { Routes } from './request/room-routes.ts'
import { formAgain, isPerhapsAgain } from './request/sent-form.ts'
import { targetOf } from './request/target.ts'
import { Visit } from './request/visit.ts'
import type { RoomClient } from './room-client/room-client.ts'
import { type EdgeSetup, prepare } from './room-client/setup.ts'

const MALFORMED = 'The Host or the path is malformed'
const NOTHING_HERE = 'There is nothing here'

/** Returns a handler with the memory of one isolate. */
export function createEdge(): { fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> } {
  let setup: Promise<EdgeSetup> | null = null
  const control = controlRoutes()
  return {
    async fetch(request, env, context) {
      try {
        setup ??= prepare(env)
        const ready = await setup
        const url = targetOf(request)
        if (!url) return marked('malformed', problemResponse({ status: 400, type: 'about:blank', title: MALFORMED }))
        const again = isPerhapsAgain(request) ? await formAgain(request, url) : request
        if (!again) return marked('unavailable', tryAgainShortly())
        const sent = again instanceof Request ? { request: again } : again
        const visit = new Visit(
          { ...sent, url, nowMs: Date.now() },
          { env, deployment: ready.deployment, background: context },
        )
        ready.trustedHeader.note(visit)
        if (visit.url.pathname.startsWith(`${ready.deployment.controlPrefix}/`)) {
          return withTrace(visit, await control(visit, ready, context))
        }
        if (isOnlyAdminHost(ready.deployment, visit.url)) {
          return marked('control', problemResponse({ status: 404, type: 'about:blank', title: NOTHING_HERE }))
        }
        return withTrace(visit, await serve(visit, ready))
      } catch (error) {
        const health = healthWithoutSetup(request, env, error)
        return health ? marked('control', health) : broken(error)
      }
    },
  }
}

async function serve(visit: Visit, { routes, rooms, deployment }: EdgeSetup): Promise<Response> {
  const { hostname } = visit.url
  const names = routes.roomsOf(hostname, visit.readings)
  if (names.length === 0 && isMisdirected(hostname, routes, deployment)) return misdirected(visit)
  const passages: Passage[] = []
  const admissions: Admitted[] = []
  let mode: string | null = null
  for (const name of names) {
    const room = rooms.get(name)
    if (!room) continue
    const redirect = await takeOffAddress(visit, room)
    if (redirect) return answerInstead(visit, markedBy(visit, room, 'redirect', redirect), admissions)
    const decided = await decide(visit, room)
    const verdict = decided.kind === 'limited' ? await afterTurn(visit, decided, () => decide(visit, room)) : decided
    const { config, health } = room.settings
    const isLetOn = verdict.kind === 'admitted' || verdict.kind === 'proxy'
    if (!isLetOn) {
      if (config.mode !== 'observe' || verdict.kind === 'limited') {
        const answer = await answerHere(visit, verdict)
        return answerInstead(
          visit,
          markedBy(visit, room, { state: stateOf(verdict), why: verdict.why }, answer),
          admissions,
        )
      }
      room.count('would_wait')
      mode = 'observe'
    }
    const upstreams = health.upstreamsOf(visit.readings, visit.request.method)
    if (verdict.kind === 'admitted') admissions.push(verdict)
    const block = config.mode === 'observe' ? null : blockOf(visit, room, verdict, upstreams)
    if (block) {
      visit.trace?.note({ room: name, verdict: 'blocked', why: block.why })
      return answerInstead(visit, markedBy(visit, room, block.why, await blockedResponse(visit, block)), admissions)
    }
    passages.push({ verdict, config, upstream: upstreams[0] })
  }
  const onward = strictest(passages)
  const watch = new Watch(visit, passages, onward.timeoutMs)
  visit.trace?.noteSent(Date.now())
  const outcome = await proxy(visit, onward, watch)
  visit.trace?.noteAnswered(Date.now())
  watch.ended(outcome)
  if (outcome.kind === 'failed') {
    const room = rooms.get(names[0] ?? '') ?? null
    const answer = await originFailed(visit, room, outcome.why)
    return answerInstead(visit, markedBy(visit, room, { state: 'origin-failed', why: outcome.why }, answer), admissions)
  }
  release(visit, admissions)
  const answer = endingWithSession(visit, passOn(visit, outcome.response, admissions, mode), admissions)
  if (onward.bodyTimeoutMs === null || visit.isWebSocket) return answer
  return withIdleTimeout(answer, onward.bodyTimeoutMs, () => watch.stopped())
}

/**
 * True if this deployment does not serve the host of a request. With a fixed origin only the hosts of rooms are served,
 * because another host would lead around the rooms. On Cloudflare without ORIGIN, the route of the Worker limits the
 * hosts.
 */
function isMisdirected(hostname: string, routes: Routes, { origin, passthroughHosts }: Deployment): boolean {
  if (origin === null || routes.isHostOfARoom(hostname)) return false
  return !passthroughHosts.some(host => matchesHost(hostname, host))
}

/** 421 Misdirected Request, RFC 9110 section 15.5.20. */
function misdirected(visit: Visit): Response {
  const detail = `No room and no entry of PASSTHROUGH_HOSTS has the host ${visit.url.hostname}.`
  const problem = { status: 421, type: 'about:blank', title: 'This site is not served here', detail } as const
  return marked('misdirected', problemResponse(problem))
}

/**
 * Returns why a request that may go on is blocked, or null. If the room is suspended or bypassed, its breakers do not
 * apply. They do not apply to preflights either.
 */
function blockOf(visit: Visit, room: RoomClient, verdict: Verdict, upstreams: readonly Upstream[]): Blocked | null {
  if (verdict.kind === 'admitted') return blockFor(visit, verdict, upstreams)
  return verdict.kind === 'proxy' && verdict.why === 'passthrough' ? blockedByOperator(visit, room, upstreams) : null
}

/**
 * Returns the answer to a request that does not go on. If another room of the request has just given a pass, the
 * visitor keeps it.
 */
function answerInstead(visit: Visit, response: Response, admissions: readonly Admitted[]): Response {
  release(visit, admissions)
  addTokens(visit, response.headers, admissions)
  return response
}

/** Ends the request in the counts of `max_concurrent`. */
function release(visit: Visit, admissions: readonly Admitted[]): void {
  for (const { room, sid } of admissions) room.limits.end(room.sessions.peek(sid)?.limits, visit)
}

/** Configuration errors that this isolate has logged. Without this set, each request would log the same error again. */
const logged = new WeakSet<Error>()

/** Returns the answer to an error. The answer shows no detail of the error; the log has the details. */
function broken(error: unknown): Response {
  if (error instanceof SettingsError || error instanceof KeyRingError) {
    if (!logged.has(error)) log('configuration-refused', { detail: error.message })
    logged.add(error)
    const problem = { status: 503, type: 'temporary-reduced-capacity', title: 'Not configured' } as const
    const detail = 'The configuration of the waiting room is refused, and its log has the reason.'
    return marked('not-configured', problemResponse({ ...problem, detail, retryAfterMs: 30_000 }))
  }
  logError(error)
  return marked('unavailable', tryAgainShortly())
}
