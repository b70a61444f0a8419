/** The audit log over the API: which entries are asked for, and their form as JSON or CSV. */
import { AUDIT_ACTIONS, type AuditEntry, type AuditQuery } from '../core/protocol/audit.ts'
import { HOUR_MS } from '../core/timing.ts'
import { roomStub } from '../settings/env.ts'
import { type Admin, withRoom } from './context.ts'
import { TIME } from './past/history.ts'
import { invalid } from './refusals.ts'

const ENTRIES_MAX = 10_000
const ENTRIES = '100'
/** Entries are kept for 400 days. */
const SPAN_MS = 400 * 24 * HOUR_MS
/** A spreadsheet takes text that begins like this for a formula. */
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

type Asked = Readonly<Record<string, string>>
type Problem = { readonly path: string; readonly message: string }

function readQuery(
  asked: Asked,
  nowMs: number,
): { readonly query: AuditQuery; readonly isCsv: boolean } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const time = (path: string, otherwise: number) => {
    const given = asked[path]
    if (given === undefined) return otherwise
    const ms = TIME.test(given) ? Date.parse(given) : Number.NaN
    if (Number.isNaN(ms)) problems.push({ path, message: `must be a time such as 2026-11-27T09:00:00Z, got ${given}` })
    return ms
  }
  const whole = (path: string, given: string | undefined, max: number) => {
    if (given === undefined) return null
    const value = Number(given)
    if (Number.isInteger(value) && value >= 1 && value <= max) return value
    problems.push({ path, message: `must be a whole number, 1 to ${max.toLocaleString('en')}, got ${given}` })
    return null
  }
  const toMs = time('to', nowMs + 1)
  const action = AUDIT_ACTIONS.find(action => action === asked.action) ?? null
  if (asked.action !== undefined && action === null)
    problems.push({ path: 'action', message: `must be one of ${AUDIT_ACTIONS.join(', ')}, got ${asked.action}` })
  const { format = 'json' } = asked
  if (format !== 'json' && format !== 'csv')
    problems.push({ path: 'format', message: `must be json or csv, got ${format}` })
  const query = {
    actor: asked.actor ?? null,
    action,
    fromMs: time('from', toMs - SPAN_MS),
    toMs,
    beforeId: whole('before', asked.before, Number.MAX_SAFE_INTEGER),
    limit: whole('limit', asked.limit ?? ENTRIES, ENTRIES_MAX) ?? 0,
  }
  return problems.length > 0 ? { problems } : { query, isCsv: format === 'csv' }
}

/** Returns the entries as CSV (RFC 4180), with one line of names. */
function csv(entries: readonly AuditEntry[]): string {
  const lines = entries.map(({ atMs, actor, by, network, action, subject, before, after }) => {
    const json = (values: AuditEntry['before']) => (values === null ? '' : JSON.stringify(values))
    const cells = [new Date(atMs).toISOString(), actor, by, network, action, subject, json(before), json(after)]
    return cells.map(quoted).join(',')
  })
  return `${['time,actor,by,network,action,subject,before,after', ...lines].join('\r\n')}\r\n`
}

function quoted(cell: string | null): string {
  const text = cell ?? ''
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
