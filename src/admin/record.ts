/** Records deeds in a room's audit log: who made a request, how the name was proved, and from which network. */
import type { AuditAction, Deed, Proof } from '../core/protocol/audit.ts'
import { roomStub } from '../settings/env.ts'
import type { AdminContext } from './context.ts'

/** Returns how the name of the operator was proved, and from where the request came. */
export function proofOf(context: AdminContext): Proof {
  return { by: context.get('identity').by, network: context.env.visit.network }
}

/** Returns what this request does, as a deed for an audit log. */
export function deedOf(context: AdminContext, action: AuditAction, subject: string | null): Deed {
  const actor = context.get('identity').name
  return { ...proofOf(context), actor, action, subject, before: null, after: null }
}

/** Adds a deed of this request to the audit log of its room. */
export async function record(context: AdminContext, action: AuditAction, subject: string | null): Promise<void> {
  const { env } = context.env.visit
  await roomStub(env, context.req.param('name') ?? '').record(deedOf(context, action, subject))
}
