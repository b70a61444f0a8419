/**
 * The figures of a stretch of time, such as an event: how many visitors came, waited, gave up and got in, and what it
 * cost. They are computed from the minutes that the room has kept.
 */
import { MINUTE_MS } from '../timing.ts'
import { type HistoryStep, inSteps, type PastCounts } from './history.ts'
import { costUsd, type Usage } from './prices.ts'
import { type Waits, waitsIn } from './waits.ts'

/** The most steps of the curves in a report. */
const STEPS_MAX = 120
/** The possible lengths of these steps, in minutes. */
const LENGTHS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 4_320] as const
/** A room counts as full when this share of its places is taken. Some places are always between two visitors. */
const FULL_SHARE = 0.98

interface Peak {
  readonly value: number
  /** When the step with the peak began. */
  readonly atMs: number
}

export interface SpanFigures {
  /** Places that were given: in line, or inside at once. */
  readonly came: number
  /** Visitors in line who came back once: people, and not robots. */
  readonly waited: number
  readonly admitted: number
  /** Admissions without a wait in line. */
  readonly admittedAtOnce: number
  readonly gaveUp: {
    /** Called visitors who never came to claim. */
    readonly noShow: number
    /** Places that were given up by hand. */
    readonly left: number
  }
  /** Called visitors who came back too late, and got a new place. */
  readonly missed: number
  readonly rejected: number
  /** Requests that a rate limit refused. */
  readonly limited: number
  /** Tickets with a challenge, and the solutions that came. Absent in reports of older versions. */
  readonly challenges?: { readonly asked: number; readonly solved: number; readonly wrong: number } | undefined
  /** Null where no visitor who stood in line was called. */
  readonly waits: Waits | null
  readonly peaks: { readonly waiting: Peak; readonly inside: Peak; readonly admittedPerMinute: Peak } | null
  readonly atEnd: { readonly waiting: number; readonly inside: number }
  /** About the minutes in which people stood in line. */
  readonly line: {
    readonly minutes: number
    /** Admissions that the rate in force allowed in these minutes. */
    readonly allowed: number
    readonly admitted: number
    /** The minutes with a line in which all places were taken, so that the places were the limit and not the rate. */
    readonly fullMinutes: number
  }
  readonly origin: {
    readonly answers: number
    readonly apdex: number | null
    /** The p95 of the slowest minute. */
    readonly worstP95: Peak | null
  }
  readonly cost: { readonly usd: number; readonly usage: Usage }
  readonly stepMs: number
  /** Oldest first. Steps in which the room slept are left out. */
  readonly steps: readonly HistoryStep[]
}

/** The steps that the room has kept of a stretch of time, oldest first. Each step lasts `stepMs`. */
export interface Kept {
  readonly steps: readonly HistoryStep[]
  readonly stepMs: number
  readonly fromMs: number
  readonly toMs: number
  /** How many doors the room has. */
  readonly doors: number
}

export function figuresOf(kept: Kept): SpanFigures {
  const { steps, stepMs } = kept
  const sum = (name: 'arrived' | 'confirmed' | 'admitted' | 'called' | 'shown' | 'left') => total(steps, name)
  const chartMs = lengthFor(kept)
  const last = steps.at(-1)
  return {
    came: sum('arrived'),
    waited: sum('confirmed'),
    admitted: sum('admitted'),
    admittedAtOnce: Math.max(0, sum('admitted') - sum('shown')),
    gaveUp: { noShow: Math.max(0, sum('called') - sum('shown')), left: sum('left') },
    missed: total(steps, 'missed'),
    rejected: total(steps, 'rejected'),
    limited: total(steps, 'limited'),
    challenges: {
      asked: total(steps, 'challenged'),
      solved: total(steps, 'solved'),
      wrong: total(steps, 'wrong'),
    },
    waits: waitsIn(steps, stepMs),
    peaks: last
      ? {
          waiting: highest(steps, ({ waiting }) => waiting),
          inside: highest(steps, ({ inside }) => inside),
          admittedPerMinute: highest(steps, ({ admitted }) => (admitted * MINUTE_MS) / stepMs),
        }
      : null,
    atEnd: { waiting: last?.waiting ?? 0, inside: last?.inside ?? 0 },
    line: inLine(kept),
    origin: originOf(kept),
    cost: costOf(kept),
    stepMs: chartMs,
    steps: inSteps(steps, chartMs),
  }
}

/** Returns the shortest step length that makes few enough steps and is a multiple of the kept steps' length. */
function lengthFor({ stepMs, fromMs, toMs }: Kept): number {
  const fits = (ms: number) => ms % stepMs === 0 && Math.ceil((toMs - fromMs) / ms) <= STEPS_MAX
  const lengths = LENGTHS.map(minutes => minutes * MINUTE_MS)
  return lengths.find(fits) ?? (lengths.at(-1) as number)
}

function inLine({ steps, stepMs }: Kept): SpanFigures['line'] {
  const withLine = steps.filter(({ waiting }) => waiting > 0)
  const isFull = ({ inside, totalActiveUsers }: HistoryStep) => inside >= FULL_SHARE * totalActiveUsers
  const minutes = stepMs / MINUTE_MS
  return {
    minutes: withLine.length * minutes,
    allowed: Math.round(withLine.reduce((sum, { ratePerMinute }) => sum + ratePerMinute * minutes, 0)),
    admitted: total(withLine, 'admitted'),
    fullMinutes: withLine.filter(isFull).length * minutes,
  }
}

function originOf({ steps }: Kept): SpanFigures['origin'] {
  const answers = total(steps, 'samples')
  const measured = steps.filter(({ p95Ms }) => p95Ms !== null)
  const satisfied = steps.reduce((sum, { samples, apdex }) => sum + samples * (apdex ?? 0), 0)
  return {
    answers,
    apdex: answers === 0 ? null : Math.round((1_000 * satisfied) / answers) / 1_000,
    worstP95: measured.length === 0 ? null : highest(measured, ({ p95Ms }) => p95Ms ?? 0),
  }
}

/**
 * Estimates the cost as docs/costs.md counts it, rather too high than too low. Each door and the room are taken as
 * active, with a written row a second, whenever the room was awake.
 */
function costOf({ steps, stepMs, doors }: Kept): SpanFigures['cost'] {
  const admitted = total(steps, 'admitted')
  const awakeSeconds = (steps.length * stepMs) / 1_000
  const usage: Usage = {
    workerRequests: total(steps, 'decided') + total(steps, 'samples'),
    // Each visitor costs a claim and a renewal. Each second costs one sync of the edges and one of the door.
    objectRequests: Math.round(2 * admitted + 2 * doors * awakeSeconds),
    objectSeconds: Math.round((doors + 1) * awakeSeconds),
    rowsRead: 3 * admitted,
    // A session writes a row at its admission, one at its first renewal, and one when it is deleted.
    rowsWritten: Math.round(3 * admitted + (doors + 1) * awakeSeconds),
  }
  return { usd: Math.round(10_000 * costUsd(usage)) / 10_000, usage }
}

function total(steps: readonly HistoryStep[], name: keyof PastCounts | 'samples'): number {
  return steps.reduce((sum, step) => sum + step[name], 0)
}

function highest(steps: readonly HistoryStep[], of: (step: HistoryStep) => number): Peak {
  return steps.reduce<Peak>((peak, step) => (of(step) > peak.value ? { value: of(step), atMs: step.atMs } : peak), {
    value: 0,
    atMs: steps[0]?.atMs ?? 0,
  })
}
