/**
 * The past of a room by the minute: how many visitors came, were called and were let in, how long the line was, and how
 * well the origin answered.
 *
 * Counts are differences of the room's totals, which are durable. So a minute is counted in full even if objects
 * restart. A room without visitors sleeps, and such minutes are left out.
 */
import { MINUTE_MS } from '../timing.ts'

/** Counts of one step. Each is a difference of totals, so it can be added up over steps. */
const COUNTS = [
  /** Places that were given: newcomers who got a place in line, and newcomers who were let in at once. */
  'arrived',
  /** Visitors in line who came back once, and count in the line since then. */
  'confirmed',
  'called',
  /** Called visitors who came to claim. The other called visitors have not returned. */
  'shown',
  'admitted',
  /** Called visitors who came back after their claim window, and got a new place. */
  'missed',
  /** Places that were given up. */
  'left',
  'rejected',
  /** Requests that a rate limit refused. */
  'limited',
  /** Decisions of the gate, polls included. Requests of sessions that go on need none. */
  'decided',
  /** Tickets for which a challenge was set. */
  'challenged',
  /** Right solutions of challenges, and wrong ones. */
  'solved',
  'wrong',
] as const

export type PastCounts = Readonly<Record<(typeof COUNTS)[number], number>>

/** The state of a room at one moment. */
interface Gauges {
  readonly inside: number
  readonly waiting: number
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  /**
   * The wait that a newcomer is shown, 0 in an open room. Null if the line stands still, or if the wait is not known.
   */
  readonly waitMs: number | null
}

/** The answers of the origin. */
export interface OriginFigures {
  readonly samples: number
  readonly p95Ms: number | null
  /** 0 to 1, null without a sample. */
  readonly apdex: number | null
}

/**
 * One step of the history. `inside`, `waiting`, `waitMs` and `p95Ms` are the highest of any minute in it. The limits
 * are those at its end.
 */
interface PastFigures extends PastCounts, Gauges, OriginFigures {}

/** `atMs` is when the step began. */
export interface HistoryStep extends PastFigures {
  readonly atMs: number
}

/** The current minute. Plain data, stored with the room. `base` has the totals at its beginning. */
export interface OpenMinute {
  minute: number
  base: PastCounts
  gauges: Gauges
}

const NO_GAUGES: Gauges = { inside: 0, waiting: 0, ratePerMinute: 0, totalActiveUsers: 0, waitMs: null }
const NO_ANSWERS: OriginFigures = { samples: 0, p95Ms: null, apdex: null }
const NOTHING: PastFigures = { ...countedIn({}), ...NO_GAUGES, ...NO_ANSWERS }

export function newOpenMinute(totals: Readonly<Record<string, number>>, nowMs: number): OpenMinute {
  return { minute: minuteOf(nowMs), base: countedIn(totals), gauges: NO_GAUGES }
}

/** Notes the present state: the minute keeps the highest numbers of people, and the newest limits and wait. */
export function noteGauges(open: OpenMinute, now: Gauges): void {
  const { inside, waiting } = open.gauges
  open.gauges = { ...now, inside: Math.max(inside, now.inside), waiting: Math.max(waiting, now.waiting) }
}

/** Returns true if the open minute is over. Then its counts must be taken before the next report is applied. */
export function isOver(open: OpenMinute, nowMs: number): boolean {
  // If the clock was set back, the open minute goes on until the clock has caught up.
  return minuteOf(nowMs) > open.minute
}

/** Returns the figures of the open minute so far. */
export function soFar(
  open: OpenMinute,
  totals: Readonly<Record<string, number>>,
  origin: OriginFigures | null,
): HistoryStep {
  const now = countedIn(totals)
  // An older version may have begun this minute without the newer counts. They stay 0 until the minute ends.
  const counts = mapped(now, (count, key) => Math.max(0, Math.round(count - (open.base[key] ?? count))))
  return { atMs: open.minute * MINUTE_MS, ...counts, ...open.gauges, ...(origin ?? NO_ANSWERS) }
}

/**
 * Begins the minute of `nowMs`. The gauges are kept, because people stay inside and in line from one minute to the
 * next.
 */
export function beginMinute(
  open: OpenMinute,
  totals: Readonly<Record<string, number>>,
  now: Pick<Gauges, 'inside' | 'waiting'>,
  nowMs: number,
): void {
  open.minute = minuteOf(nowMs)
  open.base = countedIn(totals)
  open.gauges = { ...open.gauges, inside: now.inside, waiting: now.waiting }
}

/**
 * Combines steps into steps of `stepMs`, which begin at whole multiples of it. The steps must be in the order of time.
 */
export function inSteps(steps: readonly HistoryStep[], stepMs: number): HistoryStep[] {
  const folded: HistoryStep[] = []
  for (const step of steps) {
    const atMs = Math.floor(step.atMs / stepMs) * stepMs
    const last = folded.at(-1)
    if (last?.atMs === atMs) folded[folded.length - 1] = added(last, step)
    else folded.push({ ...step, atMs })
  }
  return folded
}

/** Returns the figures in a compact form for storage: figures that are as in an empty minute are left out. */
export function packed({ atMs: _, ...figures }: HistoryStep): Partial<PastFigures> {
  const entries = Object.entries(figures).filter(([key, value]) => value !== NOTHING[key as keyof PastFigures])
  return Object.fromEntries(entries.map(([key, value]) => [key, value === null ? null : roundedTo3(value as number)]))
}

export function unpacked(atMs: number, figures: Partial<PastFigures>): HistoryStep {
  return { atMs, ...NOTHING, ...figures }
}

function added(earlier: HistoryStep, later: HistoryStep): HistoryStep {
  const samples = earlier.samples + later.samples
  const satisfied = (earlier.apdex ?? 0) * earlier.samples + (later.apdex ?? 0) * later.samples
  return {
    ...later,
    atMs: earlier.atMs,
    ...mapped(earlier, (count, key) => count + later[key]),
    inside: Math.max(earlier.inside, later.inside),
    waiting: Math.max(earlier.waiting, later.waiting),
    waitMs: highest(earlier.waitMs, later.waitMs),
    samples,
    p95Ms: highest(earlier.p95Ms, later.p95Ms),
    apdex: samples === 0 ? null : roundedTo3(satisfied / samples),
  }
}

function countedIn(totals: Readonly<Record<string, number>>): PastCounts {
  const total = (name: string) => totals[name] ?? 0
  let limited = 0
  let decided = 0
  for (const [name, count] of Object.entries(totals)) {
    if (name.startsWith('limit/') && name.endsWith('/limited')) limited += count
    else if (name.startsWith('verdict/')) decided += count
  }
  return {
    arrived: total('minted') + total('walked_in'),
    confirmed: total('confirmed'),
    called: total('called'),
    shown: total('shown'),
    admitted: total('admitted'),
    missed: total('missed'),
    left: total('left'),
    rejected: total('rejected'),
    limited,
    decided,
    challenged: total('challenge_asked'),
    solved: total('challenge_solved'),
    wrong: total('challenge_wrong'),
  }
}

function countsOf(step: PastCounts): PastCounts {
  const { arrived, confirmed, called, shown, admitted, missed, left, rejected, limited, decided } = step
  const { challenged, solved, wrong } = step
  const line = { arrived, confirmed, called, shown, admitted, missed, left, rejected }
  return { ...line, limited, decided, challenged, solved, wrong }
}

function mapped(counts: PastCounts, to: (count: number, key: keyof PastCounts) => number): PastCounts {
  const made: Record<keyof PastCounts, number> = countsOf(counts)
  for (const key of COUNTS) made[key] = to(made[key], key)
  return made
}

function highest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b)
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS)
}

function roundedTo3(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
