/** Records what happens in a run as it happens: plain counts and times, from which the figures are computed later. */
import type { Answer, Silence } from './connections.ts'

/** Milestones of one visitor, in ms since the run began; null when not reached. */
export interface VisitorRecord {
  readonly id: string
  /** A script that polls like a page, and solves no challenge. */
  readonly isRobot: boolean
  /** The time of the visitor's first request. */
  arrivedMs: number | null
  /** The time at which the first waiting page came. From then on the visitor has a place. */
  placeMs: number | null
  /** The time at which the first answer of the origin came. */
  admittedMs: number | null
  /** Whether a poll has reported the admission, even if no page ever came. */
  toldAdmitted: boolean
  /** The number of pages of the site that came. `pagesFailed` is the number of those that failed. */
  pagesServed: number
  pagesFailed: number
  /** Requests that may have reached the origin: no answer came, or a 5xx of a server in front of the origin. */
  unanswered: number
  now: 'coming' | 'in line' | 'inside' | 'silent' | 'gave up'
}

/** The end of one page request, inside or in line. Waiting pages are not recorded. */
export interface PageRecord {
  readonly atMs: number
  readonly tookMs: number
  /** The path. If the method is not GET, the method comes before the path. */
  readonly what: string
  /** The status of the answer; 0 if no answer came. */
  readonly status: number
  /** Whether the site itself answered. */
  readonly isOrigin: boolean
}

export interface RunRecord {
  readonly visitors: readonly VisitorRecord[]
  /** In ascending order. If a visitor was sent back in line and admitted again, both admissions count. */
  readonly admissionsMs: readonly number[]
  readonly pagesMs: readonly number[]
  readonly statuses: ReadonlyMap<number, number>
  readonly errors: number
  readonly errorSamples: readonly string[]
  readonly answers: number
  readonly mostInside: number
  readonly pagesFailed: number
  /** All pages except those of the waiting room, in order of their ends. */
  readonly pages: readonly PageRecord[]
  /** Pages of the room for visitors inside while the site is down. */
  readonly pagesBlocked: number
  readonly ordersBegun: number
  readonly ordersPlaced: number
  /** Orders begun by visitors who left before the order was placed. */
  readonly ordersLost: number
  readonly sentBack: number
  readonly polls: number
}

const ERROR_SAMPLES_MAX = 5

export class Tally implements RunRecord {
  readonly visitors: VisitorRecord[] = []
  readonly admissionsMs: number[] = []
  readonly pagesMs: number[] = []
  readonly statuses = new Map<number, number>()
  readonly errorSamples: string[] = []
  errors = 0
  answers = 0
  mostInside = 0
  pagesFailed = 0
  readonly pages: PageRecord[] = []
  pagesBlocked = 0
  ordersBegun = 0
  ordersPlaced = 0
  ordersLost = 0
  /** Calls to objects that the Worker reports in its debug mode. */
  objectCalls = 0
  sentBack = 0
  polls = 0
  readonly #counts: Record<VisitorRecord['now'], number> = {
    coming: 0,
    'in line': 0,
    inside: 0,
    silent: 0,
    'gave up': 0,
  }

  newVisitor(id: string, isRobot = false): VisitorRecord {
    const visitor: VisitorRecord = {
      id,
      isRobot,
      arrivedMs: null,
      placeMs: null,
      admittedMs: null,
      toldAdmitted: false,
      pagesServed: 0,
      pagesFailed: 0,
      unanswered: 0,
      now: 'coming',
    }
    this.visitors.push(visitor)
    this.#counts.coming++
    return visitor
  }

  count(now: VisitorRecord['now']): number {
    return this.#counts[now]
  }

  move(visitor: VisitorRecord, to: VisitorRecord['now']): void {
    this.#counts[visitor.now]--
    visitor.now = to
    this.#counts[to]++
    this.mostInside = Math.max(this.mostInside, this.#counts.inside)
  }

  admit(visitor: VisitorRecord, atMs: number): void {
    visitor.admittedMs ??= atMs
    this.admissionsMs.push(atMs)
    this.move(visitor, 'inside')
  }

  sendBack(visitor: VisitorRecord): void {
    this.sentBack++
    this.move(visitor, 'in line')
  }

  /** Notes an answer that is not a page, or counts an error if no answer came. Does not count the status. */
  part(answer: Answer | Silence): void {
    if (answer.kind === 'answer') {
      this.answers++
      this.objectCalls += objectCallsOf(answer)
    } else this.#error(answer.message)
  }

  page(answer: Answer | Silence): void {
    this.part(answer)
    if (answer.kind === 'answer') this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
  }

  /** Notes the end of a page request that was not answered with a waiting page. */
  ended(visitor: VisitorRecord, page: PageRecord): void {
    this.pages.push(page)
    if (page.isOrigin || page.status === 0) this.pagesMs.push(page.tookMs)
    const failed = page.status === 0 || page.status >= 500
    if (failed) this.pagesFailed++
    if (failed) visitor.pagesFailed++
    else if (page.isOrigin) visitor.pagesServed++
  }

  #error(message: string): void {
    this.errors++
    if (this.errorSamples.length < ERROR_SAMPLES_MAX && !this.errorSamples.includes(message)) {
      this.errorSamples.push(message)
    }
  }
}

function objectCallsOf({ headers }: Answer): number {
  const trace = headers['waiting-room-trace']
  return typeof trace === 'string' ? Number(/"object":(\d+)/.exec(trace)?.[1] ?? 0) : 0
}
