/**
 * The votes of an isolate's sessions, until its next report. Their number is bounded, because a window is five seconds
 * and a report goes out at least once in each.
 */
import { ORIGIN, type Outcome, pointsOf, WINDOW_MS } from '../../core/health/outcome.ts'
import { ASKED, BADLY, type Ballot, cast, marksOf } from '../../core/health/votes.ts'
import { patternCell, patternOf, votesCell } from '../../core/protocol/health-cells.ts'

/** The samples of one session from one upstream in one window. */
interface Own {
  window: number
  samples: number
  points: number
  failed: number
}

/** A session's own samples, by upstream. */
export type OwnSamples = Record<string, Own>

/** The most patterns that an isolate counts in one window, and the most that it reports. */
const PATTERNS_MAX = 64
const PATTERNS_REPORTED_MAX = 4

/** If unreported votes are of more seconds than this, no door has answered for too long, and they are dropped. */
const SECONDS_MAX = 300

/** A pattern of addresses in the current window. */
interface Followed {
  readonly pattern: string
  readonly ballot: Ballot
  bad: number
  isNews: boolean
}

/** One sample of one session. */
export interface Sampled {
  readonly upstream: string
  readonly lot: number
  /** The session's samples so far. This one is added to them. */
  readonly own: OwnSamples
  /** The path of a request to the origin. Null for a named upstream, whose addresses are not distinguished. */
  readonly path: string | null
  readonly sentMs: number
}

export class Ballots {
  /** Votes that are not reported yet, by upstream and second. */
  readonly #votes = new Map<string, { upstream: string; sentMs: number; ballot: Ballot }>()
  #window = 0
  readonly #patterns = new Map<string, Followed>()

  /** Notes that a session was seen, or that it got an answer from a named upstream which is not a sample. */
  note(upstream: string, lot: number, sentMs: number): void {
    cast(this.#ballotOf(upstream, sentMs), lot, 0)
  }

  /** Adds a sample, and casts the vote that its session now has. */
  add({ upstream, lot, own, path, sentMs }: Sampled, outcome: Outcome, nowMs: number): void {
    const sums = this.#sumsOf(own, upstream, nowMs)
    sums.samples++
    sums.points += pointsOf(outcome)
    if (outcome === 'failed') sums.failed++
    cast(this.#ballotOf(upstream, sentMs), lot, marksOf(sums))
    const isBad = outcome === 'failed' || outcome === 'frustrated'
    if (path !== null) this.#addPattern(patternOf(path), lot, isBad, nowMs)
  }

  /** Changes a sample of the session from frustrated to failed. */
  turnFailed({ upstream, lot, own, sentMs }: Sampled, nowMs: number): void {
    const sums = this.#sumsOf(own, upstream, nowMs)
    if (sums.samples === 0) sums.samples = 1
    sums.failed++
    cast(this.#ballotOf(upstream, sentMs), lot, marksOf(sums))
  }

  /** Calls `put` with the cell of each vote that is not reported yet. */
  take(put: (cell: string) => void): void {
    let lastMs = 0
    for (const { upstream, sentMs, ballot } of this.#votes.values()) {
      put(votesCell(upstream, ballot, sentMs))
      lastMs = Math.max(lastMs, sentMs)
    }
    if (this.#votes.size === 0) return
    this.#votes.clear()
    const news = [...this.#patterns.values()].filter(({ isNews }) => isNews)
    const worst = news.sort((a, b) => b.bad - a.bad).slice(0, PATTERNS_REPORTED_MAX)
    for (const one of worst) {
      put(patternCell(ORIGIN, one.pattern, one.ballot, lastMs))
      one.isNews = false
    }
  }

  #sumsOf(own: OwnSamples, upstream: string, nowMs: number): Own {
    const window = Math.floor(nowMs / WINDOW_MS)
    const known = Object.hasOwn(own, upstream) ? own[upstream] : undefined
    if (known?.window === window) return known
    const sums: Own = { window, samples: 0, points: 0, failed: 0 }
    own[upstream] = sums
    return sums
  }

  #ballotOf(upstream: string, sentMs: number): Ballot {
    const second = Math.floor(sentMs / 1_000)
    const key = `${upstream}/${second}`
    const known = this.#votes.get(key)
    if (known) return known.ballot
    const fresh = { upstream, sentMs, ballot: {} }
    if (this.#votes.size >= SECONDS_MAX) this.#votes.delete(this.#votes.keys().next().value as string)
    this.#votes.set(key, fresh)
    return fresh.ballot
  }

  /** Counts a session for a pattern. Patterns without a badly served session are not reported. */
  #addPattern(pattern: string, lot: number, isBad: boolean, nowMs: number): void {
    const window = Math.floor(nowMs / WINDOW_MS)
    if (window !== this.#window) this.#patterns.clear()
    this.#window = window
    let known = this.#patterns.get(pattern)
    if (!known) {
      if (this.#patterns.size >= PATTERNS_MAX) return
      known = { pattern, ballot: {}, bad: 0, isNews: false }
      this.#patterns.set(pattern, known)
    }
    const before = known.ballot[lot] ?? 0
    cast(known.ballot, lot, isBad ? ASKED | BADLY : ASKED)
    const after = known.ballot[lot] ?? 0
    if (after === before) return
    if (after & ~before & BADLY) known.bad++
    known.isNews = known.bad > 0
  }
}
