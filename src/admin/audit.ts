/** The audit log in the API: which entries a request asks for, and the answer as JSON or CSV. */
import { AUDIT_ACTIONS, type AuditEntry, type AuditQuery } from '../core/protocol/audit.ts'
import { HOUR_MS } from '../core/timing.ts'
import { roomStub } from '../settings/env.ts'
import { type Admin, withRoom } from './context.ts'
import { QueryReader, type Refused } from './query.ts'
import { invalid } from './refusals.ts'

const ENTRIES_MAX = 10_000
const ENTRIES = '100'
/** Entries are kept for 400 days. */
const SPAN_MS = 400 * 24 * HOUR_MS
/** A spreadsheet treats text that begins with one of these characters as a formula. */
const FORMULA = /^[=+\-@\t\r]/

export function auditRoute(app: Admin): void {
  app.get('/api/v1/rooms/:name/audit', context =>
    withRoom(context, async (env, name) => {
      const asked = readQuery(context.req.query(), context.env.visit.nowMs)
      if ('problems' in asked) return invalid(asked.problems)
      const entries = await roomStub(env, name).audit(asked.query)
      if (!asked.isCsv) return context.json({ entries })
      const headers = {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': `attachment; filename="audit-${name}.csv"`,
      }
      return context.body(csv(entries), 200, headers)
    }),
  )
}

function readQuery(
  asked: Readonly<Record<string, string>>,
  nowMs: number,
): Refused | { readonly query: AuditQuery; readonly isCsv: boolean } {
  const reader = new QueryReader(asked)
  const whole = (path: string, given: string | undefined, max: number) => {
    if (given === undefined) return null
    const value = Number(given)
    if (Number.isInteger(value) && value >= 1 && value <= max) return value
    reader.refuse(path, `must be a whole number, 1 to ${max.toLocaleString('en')}, got ${given}`)
    return null
  }
  const toMs = reader.time('to', nowMs + 1)
  const action = AUDIT_ACTIONS.find(action => action === asked.action) ?? null
  if (asked.action !== undefined && action === null)
    reader.refuse('action', `must be one of ${AUDIT_ACTIONS.join(', ')}, got ${asked.action}`)
  const isCsv = reader.isCsv()
  const query = {
    actor: asked.actor ?? null,
    action,
    fromMs: reader.time('from', toMs - SPAN_MS),
    toMs,
    beforeId: whole('before', asked.before, Number.MAX_SAFE_INTEGER),
    limit: whole('limit', asked.limit ?? ENTRIES, ENTRIES_MAX) ?? 0,
  }
  const { problems } = reader
  return problems.length > 0 ? { problems } : { query, isCsv }
}

/** Returns the entries as CSV (RFC 4180). The first line has the names of the columns. */
function csv(entries: readonly AuditEntry[]): string {
  const lines = entries.map(({ atMs, actor, by, network, action, subject, before, after, times, lastAtMs }) => {
    const json = (values: AuditEntry['before']) => (values === null ? '' : JSON.stringify(values))
    const deed = [new Date(atMs).toISOString(), actor, by, network, action, subject, json(before), json(after)]
    return [...deed, String(times), new Date(lastAtMs).toISOString()].map(quoted).join(',')
  })
  return `${['time,actor,by,network,action,subject,before,after,times,last_time', ...lines].join('\r\n')}\r\n`
}

function quoted(cell: string | null): string {
  const text = cell ?? ''
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
