/** The bodies of answers about operators' work: changes, the audit log, alerts, sessions, and refusals. */
import * as z from 'zod'
import { LASTING, MOMENTS } from '../../../core/alerts/rules.ts'
import type { AlertReport } from '../../../core/protocol/alerts.ts'
import { AUDIT_ACTIONS, type AuditEntry } from '../../../core/protocol/audit.ts'
import type { Change, ChangeRequest } from '../../../core/protocol/calls.ts'
import type { Session } from '../../../core/session.ts'
import { countOf, momentOf, textOf } from './parts.ts'

export const requestBody: z.ZodType<ChangeRequest> = z
  .union([
    z.strictObject({ set: z.unknown() }),
    z.strictObject({ reset: z.union([z.array(z.string()), z.literal('all')]) }),
  ])
  .meta({ description: 'The settings that were set, or the names of those that were reset to the file' })

const change: z.ZodType<Change> = z.strictObject({
  version: z.string(),
  atMs: momentOf('When'),
  actor: textOf('The name of the token or login'),
  request: requestBody,
})

export const changesBody = z.strictObject({ changes: z.array(change).meta({ description: 'Newest first' }) })

const values = (description: string) => z.record(z.string(), z.unknown()).nullable().meta({ description })

const entry: z.ZodType<AuditEntry> = z.strictObject({
  id: countOf('Rises with each entry'),
  atMs: momentOf('When'),
  actor: textOf('The name of the token or login; never chosen by the request'),
  by: z.literal(['token', 'access', 'deployment']),
  network: textOf('The /24 or /64 of the request').nullable(),
  action: z.literal(AUDIT_ACTIONS),
  subject: textOf('The session, token or key').nullable(),
  before: values('Settings before; long values are cut'),
  after: values('Settings after'),
  times: countOf('How many changes of the same settings within a minute the entry stands for'),
  lastAtMs: momentOf('The last of them'),
})

export const auditBody = z.strictObject({
  entries: z.array(entry).meta({ description: 'Newest first; at most 10,000 are kept, for 400 days' }),
})

const CONDITIONS = [...(Object.keys(LASTING) as (keyof typeof LASTING)[]), ...MOMENTS]

const alertState: z.ZodType<AlertReport['rules'][number]> = z.strictObject({
  name: z.string(),
  when: z.literal(CONDITIONS),
  threshold: z.number().nullable(),
  forMs: countOf('How long the condition must last, and be gone, in milliseconds'),
  pauseMs: countOf('The least time from one firing to the next, in milliseconds'),
  to: z.array(z.string()).meta({ description: 'Names of receivers' }),
  firedAtMs: momentOf('The begin of the present episode; null while it is quiet').nullable(),
  lastFiredAtMs: momentOf('The begin of the last one').nullable(),
  resolvedAtMs: momentOf('The end of the last one').nullable(),
  changingSinceMs: momentOf('Since when the condition is present without an alert, or gone during one').nullable(),
})

export const alertsBody: z.ZodType<AlertReport> = z.strictObject({
  rules: z.array(alertState),
  receivers: z.array(z.strictObject({ name: z.string(), format: z.string(), host: z.string() })),
  deliveries: z.array(
    z.strictObject({
      id: z.string(),
      receiver: z.string(),
      text: z.string(),
      createdAtMs: momentOf('When it was made'),
      attempts: countOf('Attempts so far'),
      state: z.literal(['waiting', 'delivered', 'given-up']),
      outcome: textOf('The status of the last answer, or why there was none').nullable(),
      nextAttemptMs: momentOf('The next attempt').nullable(),
    }),
  ),
})

export const sessionBody: z.ZodType<Session> = z.strictObject({
  sid: z.string(),
  key: z.number().meta({ description: 'Its place in line' }),
  lane: z.string(),
  admittedMs: momentOf('When it was let in'),
  expiresMs: momentOf('The place is taken until then'),
  ended: z.literal(['left', 'revoked']).nullable().meta({ description: 'How it was ended before its time' }),
  returned: z.boolean().meta({ description: 'Whether its pass has come back' }),
  endsByTime: z.boolean().meta({ description: 'Whether requests do not move the end any more' }),
  isReentry: z.boolean().meta({ description: 'Whether its place was one at the front, after an earlier session' }),
})

export const previewLinkBody = z.strictObject({
  url: textOf('Without its host'),
  expiresAt: z.iso.datetime(),
})

export const problemBody = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  problems: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
})
