/** The context of admin routes: the parts of a request that they need, the identity behind it, and its room. */
import type { Context, Hono } from 'hono'
import type { Deployment } from '../settings/deployment.ts'
import type { Env } from '../settings/env.ts'
import type { Identity } from './access/roles.ts'
import { fail } from './refusals.ts'

/** The parts of a request that the admin routes need. */
export interface AdminBindings {
  readonly visit: {
    readonly env: Env
    readonly deployment: Deployment
    /** The network (/24 or /64) of the request, or null where it is unknown. */
    readonly network: string | null
    readonly nowMs: number
    /** The time zone of the operator, as the platform knows it. */
    readonly timeZone: string
    readonly url: URL
  }
  readonly setup: {
    /** The problem with the header that contains visitors' addresses, as a sentence, or null. */
    readonly trustedHeader: { readonly problem: string | null }
  }
}

export interface AdminTypes {
  Bindings: AdminBindings
  /** The access check of the routes sets it before any handler below `/api/v1` runs. */
  Variables: { identity: Identity }
}

export type AdminContext = Context<AdminTypes>
export type Admin = Hono<AdminTypes>

/**
 * Calls `answer` with the room that the path names. If there is no such room, it refuses with the names of all rooms.
 */
export async function withRoom(
  context: AdminContext,
  answer: (env: Env, name: string) => Promise<Response>,
): Promise<Response> {
  const { env, deployment } = context.env.visit
  const name = context.req.param('name') ?? ''
  if (!deployment.rooms.some(room => room.name === name)) {
    return fail(404, `No room is named ${name}`, `There are: ${deployment.rooms.map(room => room.name).join(', ')}`)
  }
  return answer(env, name)
}
