/** The history of a room in the API: which part a request asks for, and the answer as JSON or CSV. */
import type { HistoryQuery, HistoryReport } from '../../core/protocol/calls.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import { QueryReader, type Refused } from '../query.ts'

/** The most steps in an answer. No chart can show more. */
const STEPS_MAX = 2_000
const DAY_MINUTES = 24 * 60
/** Step lengths in minutes. A request without a step length gets the shortest one that gives few enough steps. */
const STEPS = [1, 5, 15, 60, 6 * 60, DAY_MINUTES] as const
const STEPS_CHOSEN_MAX = 500
const SPAN_MS = 60 * MINUTE_MS
/** Minutes are kept for 30 days. For older times there are only hours. */
const MINUTES_KEPT_MS = 30 * DAY_MINUTES * MINUTE_MS

/** Reads `from`, `to`, `step` (minutes) and `format` of a query, or returns the problems with them. */
export function readHistoryQuery(
  asked: Readonly<Record<string, string>>,
  nowMs: number,
): Refused | { readonly query: HistoryQuery; readonly isCsv: boolean } {
  const reader = new QueryReader(asked)
  const { fromMs, toMs } = reader.span(nowMs, SPAN_MS)
  const isCsv = reader.isCsv()
  const { problems } = reader
  if (problems.length > 0) return { problems }
  const minutes = asked.step === undefined ? chosenStep(fromMs, toMs, nowMs) : Number(asked.step)
  const problem = stepProblem(minutes, asked.step, { fromMs, toMs, nowMs })
  if (problem !== null) return { problems: [{ path: 'step', message: problem }] }
  return { query: { fromMs, toMs, stepMs: minutes * MINUTE_MS }, isCsv }
}

function chosenStep(fromMs: number, toMs: number, nowMs: number): number {
  const least = nowMs - fromMs > MINUTES_KEPT_MS ? 60 : 1
  const minutes = (toMs - fromMs) / MINUTE_MS
  return STEPS.find(step => step >= least && minutes / step <= STEPS_CHOSEN_MAX) ?? DAY_MINUTES
}

function stepProblem(
  minutes: number,
  given: string | undefined,
  { fromMs, toMs, nowMs }: { readonly fromMs: number; readonly toMs: number; readonly nowMs: number },
): string | null {
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > DAY_MINUTES)
    return `must be a whole number of minutes, 1 to ${DAY_MINUTES}, got ${given}`
  if (nowMs - fromMs > MINUTES_KEPT_MS && minutes % 60 !== 0)
    return `must be a multiple of 60, got ${given}: minutes are kept for 30 days`
  const steps = Math.ceil((toMs - fromMs) / (minutes * MINUTE_MS))
  return steps > STEPS_MAX ? `must be longer: this would be ${steps} steps, and ${STEPS_MAX} is the most` : null
}

/**
 * Returns the steps as CSV (RFC 4180). The first line has the names of the columns. Times are RFC 3339, in UTC. A null
 * value is empty.
 */
export function historyCsv({ steps }: Pick<HistoryReport, 'steps'>): string {
  const columns = COLUMNS.map(([name]) => name).join(',')
  const lines = steps.map(step => COLUMNS.map(([, of]) => of(step) ?? '').join(','))
  return `${[columns, ...lines].join('\r\n')}\r\n`
}

type Column = readonly [name: string, of: (step: HistoryReport['steps'][number]) => string | number | null]

const COLUMNS: readonly Column[] = [
  ['time', ({ atMs }) => new Date(atMs).toISOString()],
  ['arrived', step => step.arrived],
  ['confirmed', step => step.confirmed],
  ['called', step => step.called],
  ['shown', step => step.shown],
  ['admitted', step => step.admitted],
  ['missed', step => step.missed],
  ['left', step => step.left],
  ['rejected', step => step.rejected],
  ['limited', step => step.limited],
  ['inside', step => step.inside],
  ['waiting', step => step.waiting],
  ['rate_per_minute', step => step.ratePerMinute],
  ['total_active_users', step => step.totalActiveUsers],
  ['wait_ms', step => step.waitMs],
  ['origin_samples', step => step.samples],
  ['origin_p95_ms', step => step.p95Ms],
  ['origin_apdex', step => step.apdex],
  ['decided', step => step.decided],
  ['challenged', step => step.challenged],
  ['solved', step => step.solved],
  ['wrong', step => step.wrong],
]
