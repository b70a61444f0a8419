/**
 * Reports in the API: the kept reports of events, and a report of any time. The answer is JSON, a page to print, or
 * CSV.
 */
import type { RoomReport } from '../../core/protocol/calls.ts'
import { HOUR_MS } from '../../core/timing.ts'
import { roomStub } from '../../settings/env.ts'
import { type Admin, type AdminContext, withRoom } from '../context.ts'
import { QueryReader, type Refused } from '../query.ts'
import { fail, invalid } from '../refusals.ts'
import { historyCsv } from './history.ts'
import { isTimeZone, reportPage } from './report-page.ts'

const FORMS = ['json', 'html', 'csv'] as const
type Form = (typeof FORMS)[number]
/** The name of a report of any time. It differs from the names of all events' reports, because those end in a time. */
const ANY_TIME = 'span'

/** The longest time of a report, as long as the longest possible event. */
const SPAN_MAX_MS = 367 * 24 * HOUR_MS

export function reportRoutes(app: Admin): void {
  app.get('/api/v1/rooms/:name/reports', context =>
    withRoom(context, async (env, name) => context.json({ reports: await roomStub(env, name).reports() })),
  )
  app.get('/api/v1/rooms/:name/reports/:id', context =>
    withRoom(context, async (env, name) => {
      const [id, suffix] = parts(context.req.param('id'))
      const form = formOf(context, suffix)
      if (form instanceof Response) return form
      const asked = id === ANY_TIME ? readSpan(context.req.query(), context.env.visit.nowMs) : { id }
      if ('problems' in asked) return invalid(asked.problems)
      const report = await roomStub(env, name).report(asked)
      return report ? answer(context, report, form) : fail(404, `There is no report ${id.slice(0, 100)}`)
    }),
  )
}

function readSpan(
  asked: Readonly<Record<string, string>>,
  nowMs: number,
): Refused | { readonly fromMs: number; readonly toMs: number } {
  const reader = new QueryReader(asked)
  const { fromMs, toMs } = reader.span(nowMs, HOUR_MS)
  if (toMs - fromMs > SPAN_MAX_MS) reader.refuse('from', 'must be at most 367 days before to')
  return reader.problems.length > 0 ? { problems: reader.problems } : { fromMs, toMs }
}

/** Splits a name from its suffix, which begins at the last dot. */
function parts(text: string): readonly [name: string, suffix: string | null] {
  const point = text.lastIndexOf('.')
  return point < 0 ? [text, null] : [text.slice(0, point), text.slice(point + 1)]
}

/** Returns the form of the answer: the suffix counts first, then `format`, then the types that the client accepts. */
function formOf({ req }: AdminContext, suffix: string | null): Form | Response {
  const asked = suffix ?? req.query('format') ?? accepted(req.header('Accept') ?? '')
  const form = FORMS.find(one => one === asked)
  return form ?? invalid([{ path: 'format', message: `must be ${FORMS.join(' or ')}, got ${asked.slice(0, 50)}` }])
}

function accepted(types: string): Form {
  const named = ['application/json', 'text/html', 'text/csv'].map(type => types.indexOf(type))
  const first = named.reduce((best, place, nth) => {
    const present = named[best] ?? -1
    return place >= 0 && (present < 0 || place < present) ? nth : best
  }, 0)
  return FORMS[first] ?? 'json'
}

async function answer(context: AdminContext, report: RoomReport, form: Form): Promise<Response> {
  if (form === 'json') return context.json(report)
  const name = `${report.room}-${report.id ?? new Date(report.fromMs).toISOString().slice(0, 16).replace(':', '')}`
  if (form === 'csv') {
    return context.body(historyCsv(report.figures), 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}.csv"`,
    })
  }
  const zone = context.req.query('zone') ?? context.env.visit.timeZone
  if (!isTimeZone(zone))
    return invalid([{ path: 'zone', message: `must be a time zone such as Europe/Madrid, got ${zone.slice(0, 50)}` }])
  const { html, policy } = await reportPage(report, zone)
  return context.body(html, 200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Disposition': `inline; filename="${name}.html"`,
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
  })
}
