/** Everything under the control prefix: polls, public keys, health, the admin API and the dashboard. */
import { Hono } from 'hono'
import { adminRoutes } from '../../admin/routes.ts'
import { log, logError } from '../../runtime/log.ts'
import { SettingsError } from '../../settings/messages.ts'
import { controlPreflight } from '../answer/cors.ts'
import { markedBy } from '../answer/mark.ts'
import { marked, STATE_HEADER } from '../mark.ts'
import { OWN_HEADERS, problemResponse, tryAgainShortly } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { EdgeSetup } from '../room-client/setup.ts'
import { challenge, challengeWorker } from './challenge.ts'
import { clientScript } from './client.ts'
import { clientTypes } from './client-types.ts'
import { draw } from './draws.ts'
import { type Answer, leave, status } from './poll.ts'
import { preview } from './preview.ts'
import { liveness, Readiness } from './readiness.ts'
import { askForCode, takeTransfer } from './take.ts'
import { offerTransfer } from './transfer.ts'
import { wait } from './wait.ts'

/** The arguments of a control route besides the request. */
interface Bindings {
  readonly visit: Visit
  readonly setup: EdgeSetup
}

type Control = (visit: Visit, setup: EdgeSetup, context: ExecutionContext) => Promise<Response>

export function controlRoutes(): Control {
  let app: ReturnType<typeof routes> | null = null
  return async (visit, setup, context) => {
    const { controlPrefix } = setup.deployment
    // Polls are nearly all of the traffic here while a crowd waits, so they skip the router.
    if (visit.request.method === 'GET' && visit.url.pathname === `${controlPrefix}/status`)
      return poll({ visit, setup })
    app ??= routes(controlPrefix)
    const response = await app.fetch(visit.request, { visit, setup }, context)
    for (const [name, value] of Object.entries(OWN_HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value)
    }
    return response.headers.has(STATE_HEADER) ? response : marked('control', response)
  }
}

function routes(prefix: string) {
  const app = new Hono<{ Bindings: Bindings }>().basePath(prefix)
  app.post('/leave', ({ env }) => inRoom(env, room => leave(env.visit, room)))
  app.options('/status', ({ env }) => inRoom(env, async () => ['control', controlPreflight()]))
  app.options('/leave', ({ env }) => inRoom(env, async () => ['control', controlPreflight()]))
  app.post('/challenge', ({ env }) => inRoom(env, room => challenge(env.visit, room)))
  app.options('/challenge', ({ env }) => inRoom(env, async () => ['control', controlPreflight()]))
  app.get('/challenge-worker.js', () => challengeWorker())
  app.post('/transfer', ({ env }) => inRoom(env, room => offerTransfer(env.visit, room)))
  app.get('/transfer', ({ env }) => inRoom(env, room => askForCode(env.visit, room)))
  app.post('/transfer/take', ({ env }) => inRoom(env, room => takeTransfer(env.visit, room)))
  app.get('/wait', ({ env }) => inRoom(env, room => wait(env.visit, room)))
  app.get('/client.js', ({ env }) => inRoom(env, async room => ['control', clientScript(env.visit, room, 'script')]))
  app.get('/client.mjs', ({ env }) => inRoom(env, async room => ['control', clientScript(env.visit, room, 'module')]))
  app.get('/client.d.ts', ({ env }) => inRoom(env, async room => ['control', clientTypes(env.visit, room.name)]))
  app.get('/jwks.json', ({ env }) =>
    Response.json(env.setup.jwks, { headers: { 'Cache-Control': 'public, max-age=300' } }),
  )
  app.get('/draws/:event', context =>
    inRoom(context.env, async room => ['control', await draw(context.env.visit, room, context.req.param('event'))]),
  )
  const readiness = new Readiness()
  app.get('/healthz', () => liveness())
  app.get('/readyz', ({ env }) => readiness.answer(env.visit, env.setup.rooms))
  app.route('/', adminRoutes())
  app.on(['GET', 'POST'], '/preview', ({ env, req }) => preview(env.visit, req.raw, env.setup.rooms))
  app.notFound(() => problemResponse({ status: 404, type: 'about:blank', title: 'There is nothing here' }))
  app.onError((error: Error) => {
    if (error instanceof SettingsError) log('configuration-refused', { detail: error.message })
    else logError(error)
    return marked('unavailable', tryAgainShortly())
  })
  return app
}

function poll(bindings: Bindings): Promise<Response> {
  return inRoom(bindings, room => status(bindings.visit, room))
}

/** Calls `answer` with the room that `?room=` names, or with the only room. */
async function inRoom({ visit, setup }: Bindings, answer: (room: RoomClient) => Promise<Answer>): Promise<Response> {
  const name = visit.url.searchParams.get('room')
  const [only] = setup.rooms.size === 1 ? setup.rooms.values() : []
  const room = name === null ? only : setup.rooms.get(name)
  if (!room) return marked('control', problemResponse({ status: 404, type: 'about:blank', title: 'No such room' }))
  return markedBy(visit, room, ...(await answer(room)))
}
