/** The tokens of operators in the API: a list of them, and how admins make and revoke them. */
import { base64url } from 'jose'
import { idOf, type MadeToken } from '../../core/protocol/operators.ts'
import { HOUR_MS } from '../../core/timing.ts'
import { within } from '../../runtime/within.ts'
import { FIRST_ADMIN, isTokenName, ROLES, readNamedTokens } from '../../settings/admin/named-tokens.ts'
import { operatorsStub, roomStub } from '../../settings/env.ts'
import { readJson } from '../body.ts'
import type { Admin, AdminContext } from '../context.ts'
import { deedOf } from '../record.ts'
import { fail, invalid } from '../refusals.ts'
import { sha256Of } from './guard.ts'
import type { Registry } from './registry.ts'

const DAYS_MAX = 400
const DAYS = 90
const BYTES = 32
/** The longest time that an admin waits for the rooms to record a deed. */
const RECORDED_WITHIN_MS = 2_000
/** Scanners for leaked secrets recognize a token by this prefix. */
const PREFIX = 'antesala_'

export function tokenRoutes(app: Admin, registry: Registry): void {
  app.get('/api/v1/tokens', async context => {
    const { env } = context.env.visit
    const made = await operatorsStub(env).tokens()
    return context.json({ tokens: [...made.map(listed), ...readNamedTokens(env).map(inSecret)] })
  })
  app.post('/api/v1/tokens', async context => {
    const { env, nowMs } = context.env.visit
    const body = await readJson(context.req.raw)
    if (body instanceof Response) return body
    const asked = readAsked(body.value)
    if ('problems' in asked) return invalid(asked.problems)
    const token = PREFIX + base64url.encode(crypto.getRandomValues(new Uint8Array(BYTES)))
    const { name, role, days } = asked
    const endsAtMs = nowMs + days * 24 * HOUR_MS
    const madeBy = context.get('identity').name
    const made = await operatorsStub(env).addToken({ name, role, sha256: await sha256Of(token), madeBy, endsAtMs })
    if (!made) return fail(409, 'There are too many tokens', 'Revoke those that are not in use.')
    registry.forget()
    await recordInRooms(context, 'token-added', made)
    return context.json({ ...listed(made), token })
  })
  app.delete('/api/v1/tokens/:id', async context => {
    const { env } = context.env.visit
    const id = context.req.param('id')
    const revoked = await operatorsStub(env).revokeToken(id, context.get('identity').name)
    if (!revoked) return fail(404, 'No such token', 'Tokens in the secret ADMIN_TOKENS are revoked by `npm run keys`.')
    registry.forget()
    await endSockets(context, id)
    await recordInRooms(context, 'token-removed', revoked)
    return context.body(null, 204)
  })
}

/** Closes the dashboards of a revoked token. A room that does not answer closes them when their time is up. */
async function endSockets(context: AdminContext, tokenId: string): Promise<void> {
  const { env, deployment } = context.env.visit
  await Promise.allSettled(deployment.rooms.map(room => roomStub(env, room.name).endSockets(tokenId)))
}

/**
 * A token is valid for all rooms, so the log of each room gets the deed. A room that does not answer in time must not
 * keep the admin from the new token, which is shown only once. Such a room may still record the deed later.
 */
async function recordInRooms(
  context: AdminContext,
  action: 'token-added' | 'token-removed',
  { name, role, endsAtMs, id }: MadeToken,
): Promise<void> {
  const { env, deployment } = context.env.visit
  const subject = `${name}, ${role} until ${new Date(endsAtMs).toISOString()} (${id.slice(0, 6)})`
  const deed = deedOf(context, action, subject)
  const recorded = deployment.rooms.map(room => roomStub(env, room.name).record(deed))
  await within(RECORDED_WITHIN_MS, Promise.allSettled(recorded))
}

function readAsked(value: unknown) {
  const { name, role, days = DAYS } = Object(value) as Readonly<Record<string, unknown>>
  const known = ROLES.find(one => one === role)
  const isName = typeof name === 'string' && isTokenName(name)
  const isDays = typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= DAYS_MAX
  if (isName && known && isDays) return { name, role: known, days }
  const nameMessage = `must be 1 to 40 letters, digits or . _ @ + -, and not ${FIRST_ADMIN}`
  return {
    problems: [
      ...(isName ? [] : [{ path: 'name', message: nameMessage }]),
      ...(known ? [] : [{ path: 'role', message: `must be one of ${ROLES.join(', ')}` }]),
      ...(isDays ? [] : [{ path: 'days', message: `must be a whole number, 1 to ${DAYS_MAX}` }]),
    ],
  }
}

/**
 * Returns a token as it appears in an answer, without its hash. The id is the beginning of the hash, and names the
 * token in the call that revokes it.
 */
function listed({ sha256: _, ...token }: MadeToken) {
  return { from: 'dashboard' as const, ...token }
}

function inSecret({ name, role, expires, sha256 }: ReturnType<typeof readNamedTokens>[number]) {
  const unknown = { madeBy: null, madeAtMs: null, lastUsedAtMs: null, revokedAtMs: null, revokedBy: null }
  return { from: 'secret' as const, id: idOf(sha256), name, role, endsAtMs: Date.parse(expires), ...unknown }
}
