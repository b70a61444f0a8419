/** The bodies of answers with reports and the history. */
import * as z from 'zod'
import type { HistoryStep } from '../../../core/history/history.ts'
import { AUDIT_ACTIONS } from '../../../core/protocol/audit.ts'
import type { HistoryMarker, HistoryReport, ReportListed, RoomReport } from '../../../core/protocol/calls.ts'
import { didBody } from './health.ts'
import { requestBody } from './operators.ts'
import { countOf, momentOf, ratioOf, textOf } from './parts.ts'

export const historyStepBody: z.ZodType<HistoryStep> = z.strictObject({
  atMs: momentOf('When it began'),
  arrived: countOf('Places that were given, in line or inside at once'),
  confirmed: countOf('Visitors in line who came back once'),
  called: countOf('Visitors who were called'),
  shown: countOf('Called visitors who came to claim'),
  admitted: countOf('Let in'),
  missed: countOf('Called visitors who came back too late'),
  left: countOf('Places that were given up'),
  rejected: countOf('Requests that were turned away'),
  limited: countOf('Requests that a rate limit refused'),
  decided: countOf('Decisions of the gate, polls included'),
  challenged: countOf('Tickets for which a challenge was set'),
  solved: countOf('Right solutions of challenges'),
  wrong: countOf('Wrong solutions of challenges'),
  inside: countOf('The most inside at once'),
  waiting: countOf('The most in line at once'),
  ratePerMinute: z.number().meta({ description: 'In force at the end' }),
  totalActiveUsers: countOf('The places in force at the end'),
  waitMs: z.number().nullable().meta({ description: 'The longest wait that a newcomer was shown' }),
  samples: countOf('Timed answers of the origin'),
  p95Ms: z.number().nullable().meta({ description: 'The p95 of the slowest minute' }),
  apdex: ratioOf('Apdex').nullable(),
})

const decision = z.strictObject({
  kind: z.literal('decision'),
  atMs: momentOf('When'),
  upstream: textOf('The upstream; `origin` is everything else'),
  did: didBody,
  enforced: z.boolean().meta({ description: 'False in shadow mode, where nothing is done' }),
})

const marker: z.ZodType<HistoryMarker> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('change'),
    atMs: momentOf('When'),
    actor: textOf('The name of the token or login'),
    request: requestBody,
  }),
  decision,
  z.strictObject({
    kind: z.literal('event'),
    atMs: momentOf('When'),
    name: textOf('The name of the event'),
    turn: z.literal(['prequeue-begun', 'event-begun', 'event-ended']),
  }),
])

export const historyBody: z.ZodType<HistoryReport> = z.strictObject({
  steps: z.array(historyStepBody).meta({ description: 'Oldest first; steps in which the room slept are left out' }),
  markers: z.array(marker).meta({ description: 'Live changes, decisions of health and turns of events, oldest first' }),
})

const peak = z.strictObject({ value: z.number(), atMs: momentOf('When its step began') })

const usage = z.strictObject({
  workerRequests: countOf('Polls, claims and page views'),
  objectRequests: countOf('Claims, renewals and syncs'),
  objectSeconds: countOf('The sum over the room and its doors'),
  rowsRead: countOf('Rows of SQLite'),
  rowsWritten: countOf('Rows of SQLite'),
})

const figures = z.strictObject({
  came: countOf('Places that were given, in line or inside at once'),
  waited: countOf('Visitors in line who came back once'),
  admitted: countOf('Let in'),
  admittedAtOnce: countOf('Let in without a turn'),
  gaveUp: z.strictObject({ noShow: countOf('Called, and never came'), left: countOf('Gave up the place by hand') }),
  missed: countOf('Called visitors who came back too late'),
  rejected: countOf('Requests that were turned away'),
  limited: countOf('Requests that a rate limit refused'),
  challenges: z
    .strictObject({
      asked: countOf('Tickets for which a challenge was set'),
      solved: countOf('Right solutions'),
      wrong: countOf('Wrong solutions'),
    })
    .optional(),
  waits: z
    .strictObject({ people: countOf('Visitors who came and were called'), medianMs: z.number(), p95Ms: z.number() })
    .nullable()
    .meta({ description: 'The waits as they were, exact to about a minute; null where no visitor in line was called' }),
  peaks: z.strictObject({ waiting: peak, inside: peak, admittedPerMinute: peak }).nullable(),
  atEnd: z.strictObject({ waiting: countOf('In line'), inside: countOf('Inside') }),
  line: z.strictObject({
    minutes: countOf('Minutes in which people stood in line'),
    allowed: countOf('Admissions that the rate allowed in these minutes'),
    admitted: countOf('Let in in these minutes'),
    fullMinutes: countOf('Those of these minutes in which the places were taken'),
  }),
  origin: z.strictObject({
    answers: countOf('Timed answers'),
    apdex: ratioOf('Weighted by answers').nullable(),
    worstP95: peak.nullable(),
  }),
  cost: z.strictObject({ usd: z.number().meta({ description: 'An estimate from above, at list prices' }), usage }),
  stepMs: countOf('The length of a step'),
  steps: z.array(historyStepBody),
})

const deed = z.strictObject({
  atMs: momentOf('When'),
  actor: textOf('The name of the token or login'),
  action: z.literal(AUDIT_ACTIONS),
  subject: z.string().nullable(),
  changed: z.array(z.strictObject({ setting: z.string(), before: z.string(), after: z.string() })),
})

export const reportBody: z.ZodType<RoomReport> = z.strictObject({
  id: z.string().nullable().meta({ description: 'Null for the report of a time that was asked for' }),
  event: z.string().nullable(),
  room: z.string(),
  fromMs: momentOf('The begin, with the prequeue of the event'),
  startMs: momentOf('The start of the event').nullable(),
  toMs: momentOf('The end'),
  madeAtMs: momentOf('When it was made'),
  figures,
  decisions: z.array(decision).meta({ description: 'Decisions of health, oldest first' }),
  deeds: z.array(deed).meta({ description: 'Deeds of operators, oldest first; the newest hundred' }),
})

const listed: z.ZodType<ReportListed> = z.strictObject({
  id: z.string(),
  event: z.string().nullable(),
  fromMs: momentOf('The begin'),
  toMs: momentOf('The end'),
  madeAtMs: momentOf('When it was made'),
  admitted: countOf('Let in'),
})

export const reportsBody: z.ZodType<{ readonly reports: readonly ReportListed[] }> = z.strictObject({
  reports: z.array(listed).meta({ description: 'Newest first; the last fifty' }),
})
