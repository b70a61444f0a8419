/** The visitors inside: they view a page every few seconds until they leave. Under a limit a page is many requests. */
import type { Doors } from './doors.ts'
import type { Edges } from './edges.ts'
import type { Outcome } from './requests.ts'
import type { Limit } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** The most requests of a page under a limit. One visitor in five makes twice as many. */
const PAGE_REQUESTS_MAX = 60
const PAGE_TAKES_MS = 1_500

type Stay = NonNullable<Visitor['stay']>

export class Inside {
  readonly #around: Surroundings
  readonly #doors: Doors
  readonly #edges: Edges

  constructor(around: Surroundings, doors: Doors, edges: Edges) {
    this.#around = around
    this.#doors = doors
    this.#edges = edges
  }

  /** A page view every few seconds until the visitor leaves. The session then ends by itself. */
  browse(visitor: Visitor, stay: Stay, { sid }: { readonly sid: string }): void {
    const { agenda, counts, random, scenario } = this.#around
    const { nowMs } = agenda
    if (nowMs >= stay.leavesMs) return this.#leave(visitor)
    counts.pageViews++
    if (scenario.limit) this.#viewPage(visitor, stay, sid, scenario.limit)
    else {
      counts.objectCalls++
      if (this.#doors.renew(visitor, { sid, protectMs: 0 }).verdict === 'ended') return
    }
    agenda.appoint(visitor, nowMs + random.between(5_000, 25_000))
  }

  /** A page is many requests at once, at several isolates. One visitor in five wants far more than the limit allows. */
  #viewPage(visitor: Visitor, stay: Stay, sid: string, { burst }: Limit): void {
    const { agenda, random } = this.#around
    const most = Math.min(PAGE_REQUESTS_MAX, burst)
    const count = visitor.number % 5 === 0 ? 2 * most : 1 + random.below(most)
    for (let i = 0; i < count; i++) {
      const { requests } = this.#edges.near(visitor)
      agenda.at(agenda.nowMs + random.next() * PAGE_TAKES_MS, () =>
        requests?.request(visitor, sid, outcome => this.#note(visitor, stay, sid, outcome)),
      )
    }
  }

  #note(visitor: Visitor, stay: Stay, sid: string, outcome: Outcome): void {
    const { agenda, checks } = this.#around
    const { limit } = checks
    if (!limit) return
    if (outcome === 'enough') checks.passed(visitor, sid, agenda.nowMs)
    else if (outcome === 'refused') limit.limited++
    else if (outcome === 'alone') limit.alone++
    else stay.leavesMs = Math.min(stay.leavesMs, agenda.nowMs)
  }

  /**
   * Some visitors return with their old ticket, whether their session is live or over. It must not admit them again.
   */
  #leave(visitor: Visitor): void {
    const { agenda, random, scenario } = this.#around
    const { ticket } = visitor
    if (!ticket || !random.chance(scenario.duplicate)) return
    const afterMs = random.next() * 2 * scenario.sessionMs
    agenda.at(agenda.nowMs + afterMs, () => this.#doors.claim(visitor, ticket, () => {}))
  }
}
