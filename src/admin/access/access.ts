/** Access to the admin routes: the token is checked first, then the role. */
import type { Next } from 'hono'
import { readNamedTokens } from '../../settings/admin/named-tokens.ts'
import { readAdminToken, readMetricsToken } from '../../settings/deployment.ts'
import type { AdminContext } from '../context.ts'
import { isPreviewKey } from '../preview.ts'
import { fail } from '../refusals.ts'
import { type Access, createGuard } from './guard.ts'
import { withoutPassingValues } from './hidden.ts'
import { ASSERTION_HEADER, createLogins, type Login } from './login.ts'
import { type Lookup, Registry } from './registry.ts'
import { type Identity, includesRole, leastRole } from './roles.ts'
import { authorizationOfSocket, isSocket } from './socket.ts'

/**
 * Returns the checks of one isolate, which share the memory of wrong tokens. Each check calls `next`, or answers with
 * the refusal.
 */
export function createAccess() {
  const registry = new Registry()
  const identify = createIdentify(registry)
  return {
    registry,
    async metrics(context: AdminContext, next: Next): Promise<Response | undefined> {
      const identity = await identify(context, 'metrics')
      if (identity instanceof Response) return identity
      await next()
      return undefined
    },
    /** A preview link contains a key, which is accepted instead of a token. */
    async preview(context: AdminContext, next: Next): Promise<Response | undefined> {
      const { env, nowMs } = context.env.visit
      const admin = readAdminToken(env)
      const isOpen = admin !== null && (await isPreviewKey(context.req.query('key'), admin, nowMs))
      const identity = isOpen ? null : await identify(context, 'api')
      if (identity instanceof Response) return identity
      await next()
      return undefined
    },
    async api(context: AdminContext, next: Next): Promise<Response | undefined> {
      const identity = await identify(context, 'api')
      if (identity instanceof Response) return identity
      const { method, path } = context.req
      const least = leastRole(method, path.slice(path.indexOf('/api/v1') + '/api/v1'.length))
      if (!includesRole(identity.role, least)) return notAllowed(identity, `Only the role ${least} may do this.`)
      context.set('identity', identity)
      await next()
      if (identity.role !== 'admin') context.res = await withoutPassingValues(context.res)
      context.res.headers.set('Cache-Control', 'no-store')
      return undefined
    },
  }
}

type Identify = (context: AdminContext, route: 'api' | 'metrics') => Promise<Identity | Response>

/** Returns a function that checks a token or a login. It returns the identity, or the response that refuses. */
function createIdentify(registry: Registry): Identify {
  const guard = createGuard()
  const logIn = createLogins()
  return async (context, route) => {
    const { env, deployment, network, nowMs } = context.env.visit
    const assertion = context.req.header(ASSERTION_HEADER)
    const authorization = context.req.header('Authorization') ?? authorizationOfSocket(context.req.raw)
    // A token counts before a login, because a program sends it on purpose.
    if (authorization === undefined && deployment.access) {
      if (assertion === undefined) return denied('Log in by Cloudflare Access, or send a token.')
      const login = await logIn(assertion, deployment.access, nowMs)
      return login.kind === 'granted' ? loggedIn(context, login.identity) : notLoggedIn(login)
    }
    const admin = readAdminToken(env)
    const named = readNamedTokens(env)
    const isMadeByAdmins = admin !== null || named.length > 0 || deployment.access !== null
    const accepted = {
      admin,
      metrics: route === 'metrics' ? readMetricsToken(env) : null,
      named,
      made: isMadeByAdmins ? (sha256: string) => madeToken(registry, context, sha256) : null,
    }
    const access = await guard(authorization ?? null, accepted, network, nowMs)
    return access.kind === 'granted' ? access.identity : refusalOf(access)
  }
}

/** Looks up a token that was made in the dashboard, and reports its use in the background. */
async function madeToken(registry: Registry, context: AdminContext, sha256: string): Promise<Lookup> {
  const { env, nowMs } = context.env.visit
  const found = await registry.find(env, sha256, nowMs)
  if (typeof found === 'object' && found.endsAtMs > nowMs)
    context.executionCtx.waitUntil(registry.noteUse(env, found, nowMs))
  return found
}

/** Refuses a request of a known identity. The refusal contains the role, unlike the one of an admin API that is off. */
export function notAllowed({ name, role }: Identity, why: string): Response {
  return fail(403, 'Your role does not include this', `${why} ${name} is ${role}.`, { more: { role } })
}

/**
 * A browser sends the cookie of Access even with requests that other sites cause. So a change must come from the origin
 * of the dashboard. So must a WebSocket, which another site could read. Programs send no Origin.
 */
function loggedIn({ req, env: { visit } }: AdminContext, identity: Identity): Identity | Response {
  const origin = req.header('Origin')
  const isRead = (req.method === 'GET' || req.method === 'HEAD') && !isSocket(req.raw)
  if (origin === undefined || origin === visit.url.origin || isRead) return identity
  return fail(403, 'The request comes from another site', `Its origin is ${origin.slice(0, 200)}.`, {
    more: { role: identity.role },
  })
}

function notLoggedIn(login: Exclude<Login, { kind: 'granted' }>): Response {
  switch (login.kind) {
    case 'without-role':
      return fail(403, 'You have no role', `No rule of ACCESS_ROLES names ${login.name}. An admin can add one.`)
    case 'invalid':
      return denied(`The login of Cloudflare Access is not valid: ${login.why}.`)
    case 'without-keys':
      return fail(503, 'The login cannot be checked', 'The keys of Cloudflare Access cannot be read. Try again soon.', {
        headers: { 'Retry-After': '5' },
      })
  }
}

function refusalOf(access: Exclude<Access, { kind: 'granted' }>): Response {
  switch (access.kind) {
    case 'off':
      return fail(403, 'The admin API is off', 'The secret ADMIN_TOKEN is not set.')
    case 'expired':
      return denied(`The token of ${access.name} has expired. An admin can make a new one.`)
    case 'denied':
      return denied('Send it as Authorization: Bearer.')
    case 'unsure':
      return fail(
        503,
        'The token cannot be checked',
        'It is in no secret, and the tokens made in the dashboard cannot be read now.',
        {
          headers: { 'Retry-After': '2' },
        },
      )
    case 'throttled':
      return fail(429, 'Too many wrong tokens', 'This token is wrong, too. The right one is accepted at any time.', {
        headers: { 'Retry-After': String(Math.ceil(access.retryAfterMs / 1_000)) },
      })
  }
}

function denied(detail: string): Response {
  return fail(401, 'A valid token is required', detail, { headers: { 'WWW-Authenticate': 'Bearer' } })
}
