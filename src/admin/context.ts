/** The context of admin routes: the parts of a request that they need, and the identity behind it. */
import type { Context, Hono } from 'hono'
import type { Deployment } from '../settings/deployment.ts'
import type { Env } from '../settings/env.ts'
import type { Identity } from './access/roles.ts'

/** The parts of a request that the admin routes need. */
export interface AdminBindings {
  readonly visit: {
    readonly env: Env
    readonly deployment: Deployment
    /** The network (/24 or /64) of the request, or null where it is unknown. */
    readonly network: string | null
    readonly nowMs: number
    readonly url: URL
  }
  readonly setup: {
    /** The problem with the header of visitors' addresses, in words, or null. */
    readonly trustedHeader: { readonly problem: string | null }
  }
}

interface AdminTypes {
  Bindings: AdminBindings
  /** Set by the routes' access check, before any handler below `/api/v1` runs. */
  Variables: { identity: Identity }
}

export type AdminContext = Context<AdminTypes>
export type Admin = Hono<AdminTypes>
