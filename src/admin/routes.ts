/**
 * The admin API and the dashboard. Live changes are versioned: two operators never overwrite each other unknowingly.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ChangeRequest } from '../core/protocol/calls.ts'
import { doorOf } from '../core/ticket.ts'
import { isOnlyAdminHost, readAdminToken } from '../settings/deployment.ts'
import { doorStub, type Env, regionOf, roomStub } from '../settings/env.ts'
import { roomsFileSchema } from '../settings/purposes/described.ts'
import { createAccess, notAllowed } from './access/access.ts'
import { liveRoute } from './access/live.ts'
import { ASSERTION_HEADER } from './access/login.ts'
import { foreignInEvents, foreignSettings, OPERATOR_SETTINGS, settingsFor } from './access/roles.ts'
import { createLoginRecorder } from './access/seen.ts'
import { tokenRoutes } from './access/tokens.ts'
import { alertRoutes } from './alerts.ts'
import { auditRoute } from './audit.ts'
import { readJson } from './body.ts'
import { type Admin, type AdminBindings, type AdminContext, withRoom } from './context.ts'
import { dashboardFile } from './dashboard.ts'
import { describedAll, measuredOf, shown } from './described.ts'
import { exposition, METRICS_TYPE } from './metrics.ts'
import { openApi } from './openapi/openapi.ts'
import { readForecastQuery } from './past/forecast.ts'
import { historyCsv, readHistoryQuery } from './past/history.ts'
import { reportRoutes } from './past/reports.ts'
import { versionsIn } from './preconditions.ts'
import { previewLink } from './preview.ts'
import { proofOf, record } from './record.ts'
import { fail, invalid } from './refusals.ts'

/** The most bytes of a body: enough for the largest custom page of a room, escaped. */
const BODY_MAX = 1_024 * 1_024
/** The minutes of health history that a room keeps. */
const HISTORY_MINUTES_MAX = 1_440
/**
 * The JSON Schema of the room file. Editors load it without a token, because it contains only what the documentation
 * contains.
 */
const ROOMS_SCHEMA = '/rooms.schema.json'

export function adminRoutes(): Admin {
  const app: Admin = new Hono()
  for (const path of ['/admin', '/admin/*', '/api/*', '/metrics', '/preview', ROOMS_SCHEMA]) {
    app.use(path, async (context, next) => {
      if (!isAdminHost(context.env)) return context.notFound()
      await next()
    })
  }
  app.get('/admin', context => context.redirect(`${new URL(context.req.url).pathname}/`, 308))
  app.get('/admin/:file{.*}', context => {
    const isLoggedIn =
      context.env.visit.deployment.access !== null && context.req.header(ASSERTION_HEADER) !== undefined
    return dashboardFile(context.req.param('file'), isLoggedIn) ?? context.notFound()
  })
  app.get('/api/v1/openapi.json', context => context.json(openApi(context.env.visit.deployment.controlPrefix)))
  app.get(ROOMS_SCHEMA, context => context.json(roomsFileSchema()))
  behindTokens(app)
  rooms(app)
  changes(app)
  sessions(app)
  previews(app)
  auditRoute(app)
  alertRoutes(app)
  reportRoutes(app)
  liveRoute(app)
  return app
}

/** Adds the metrics, and the check that every later route of the API needs. */
function behindTokens(app: Admin): void {
  const access = createAccess()
  app.get('/metrics', access.metrics, async context => {
    const { env, deployment } = context.env.visit
    const rooms = await describedAll(env, deployment)
    const measured = rooms.map(({ name, description }) => measuredOf(name, description))
    return context.body(exposition(measured), 200, { 'Content-Type': METRICS_TYPE, 'Cache-Control': 'no-store' })
  })
  app.use('/preview', access.preview)
  app.use('/api/v1/*', access.api)
  app.use('/api/v1/rooms/:name/*', createLoginRecorder())
  app.on(
    'ALL',
    ['/api/v1/*', '/preview'],
    bodyLimit({ maxSize: BODY_MAX, onError: () => fail(413, `The body is larger than ${BODY_MAX} bytes`) }),
  )
  tokenRoutes(app, access.registry)
}

function previews(app: Admin): void {
  app.post('/api/v1/preview-links', async context => {
    const { env, deployment, nowMs } = context.env.visit
    const token = readAdminToken(env)
    if (token === null) return fail(403, 'No link can be made', 'The secret ADMIN_TOKEN, which signs them, is not set.')
    return context.json(await previewLink(deployment.controlPrefix, token, nowMs))
  })
}

function rooms(app: Admin): void {
  app.get('/api/v1/rooms', async context => {
    const { env, deployment } = context.env.visit
    const rooms = await describedAll(env, deployment)
    const { problem } = context.env.setup.trustedHeader
    const { name, role, by } = context.get('identity')
    return context.json({
      you: { name, role, by, settings: settingsFor(role) },
      notices: problem === null ? [] : [problem],
      rooms: rooms.map(({ name, description }) =>
        description ? shown(description, deployment, name) : { name, error: 'The room does not answer' },
      ),
    })
  })
  app.get('/api/v1/rooms/:name', context =>
    withRoom(context, async (env, name) => {
      const description = await roomStub(env, name).describe()
      context.header('ETag', `"${description.version}"`)
      return context.json(shown(description, context.env.visit.deployment, name))
    }),
  )
  app.get('/api/v1/rooms/:name/health', context =>
    withRoom(context, async (env, name) => {
      const asked = context.req.query('minutes') ?? '60'
      const minutes = Number(asked)
      if (!Number.isInteger(minutes) || minutes < 0 || minutes > HISTORY_MINUTES_MAX) {
        return invalid([
          { path: 'minutes', message: `must be a whole number, 0 to ${HISTORY_MINUTES_MAX}, got ${asked}` },
        ])
      }
      return context.json(await roomStub(env, name).health(minutes))
    }),
  )
  app.get('/api/v1/rooms/:name/forecast', context =>
    withRoom(context, async (env, name) => {
      const asked = readForecastQuery(context.req.query())
      return 'problems' in asked
        ? invalid(asked.problems)
        : context.json(await roomStub(env, name).forecast(asked.limits))
    }),
  )
  app.get('/api/v1/rooms/:name/history', context =>
    withRoom(context, async (env, name) => {
      const asked = readHistoryQuery(context.req.query(), context.env.visit.nowMs)
      if ('problems' in asked) return invalid(asked.problems)
      const report = await roomStub(env, name).history(asked.query)
      if (!asked.isCsv) return context.json(report)
      return context.body(historyCsv(report), 200, { 'Content-Type': 'text/csv; charset=utf-8' })
    }),
  )
  app.delete('/api/v1/rooms/:name/health/ceiling', context =>
    withRoom(context, async (env, name) => {
      await roomStub(env, name).liftCeiling()
      await record(context, 'ceiling-lifted', null)
      return context.body(null, 204)
    }),
  )
}

function changes(app: Admin): void {
  app.get('/api/v1/rooms/:name/changes', context =>
    withRoom(context, async (env, name) => context.json({ changes: await roomStub(env, name).changes() })),
  )
  app.patch('/api/v1/rooms/:name', context =>
    withRoom(context, async (env, name) => {
      const body = await readJson(context.req.raw)
      return body instanceof Response ? body : change(context, env, name, { set: body.value })
    }),
  )
  app.delete('/api/v1/rooms/:name/overrides', context =>
    withRoom(context, (env, name) => change(context, env, name, { reset: 'all' })),
  )
  app.delete('/api/v1/rooms/:name/overrides/:setting', context =>
    withRoom(context, (env, name) => change(context, env, name, { reset: [context.req.param('setting')] })),
  )
}

function sessions(app: Admin): void {
  app.get('/api/v1/rooms/:name/sessions/:sid', context =>
    withSession(context, async (env, name, sid) => {
      const session = await doorStub(env, name, doorOf(sid)).session(sid)
      return session ? context.json(session) : fail(404, 'No such session')
    }),
  )
  app.delete('/api/v1/rooms/:name/sessions/:sid', context =>
    withSession(context, async (env, name, sid) => {
      if (!(await doorStub(env, name, doorOf(sid)).end(sid, 'revoked'))) return fail(404, 'No such live session')
      await record(context, 'session-ended', sid)
      return context.body(null, 204)
    }),
  )
}

function isAdminHost({ visit }: AdminBindings): boolean {
  return visit.deployment.adminHost === '*' || isOnlyAdminHost(visit.deployment, visit.url)
}

async function change(context: AdminContext, env: Env, name: string, request: ChangeRequest): Promise<Response> {
  const identity = context.get('identity')
  const stub = roomStub(env, name)
  const setsEvents = identity.role !== 'admin' && 'set' in request && Object.hasOwn(Object(request.set), 'events')
  const inEvents = setsEvents ? foreignInEvents(identity.role, request, (await stub.describe()).settings) : []
  const foreign = [...foreignSettings(identity.role, request), ...inEvents]
  if (foreign.length > 0) {
    const named = foreign.slice(0, 5).map(name => name.slice(0, 50))
    return notAllowed(identity, `Operators may change ${OPERATOR_SETTINGS.join(', ')}, and not ${named.join(', ')}.`)
  }
  const ifVersions = versionsIn(context.req.header('If-Match'))
  if (ifVersions instanceof Response) return ifVersions
  const outcome = await stub.change(request, ifVersions, identity.name, proofOf(context))
  switch (outcome.kind) {
    case 'invalid':
      return invalid(outcome.problems)
    case 'outdated':
      return fail(412, 'The room was changed meanwhile', 'Read it again, then send your change with the new version.', {
        headers: { ETag: `"${outcome.version}"` },
      })
    case 'changed':
    case 'unchanged':
      context.header('ETag', `"${outcome.version}"`)
      return context.json(shown(await stub.describe(), context.env.visit.deployment, name))
  }
}

async function withSession(
  context: AdminContext,
  answer: (env: Env, name: string, sid: string) => Promise<Response>,
): Promise<Response> {
  const sid = context.req.param('sid') ?? ''
  // The sid contains the name of its door. Any other text would create an object that no session uses.
  const [, region] = /^([a-z]{2})-\d{1,2}\.[\w-]{22}(~\d{1,6})?$/.exec(sid) ?? []
  if (region === undefined || regionOf(region) !== region) return fail(404, 'The text is no session id')
  return withRoom(context, (env, name) => answer(env, name, sid))
}
