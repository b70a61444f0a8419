/** The visitors inside: they view a page every few seconds until they leave. Under a limit a page is many requests. */
import type { Touch, TouchAnswer } from '../../src/core/protocol/messages.ts'
import type { Crowd } from './crowd.ts'
import type { Doors } from './doors.ts'
import type { Edges } from './edges.ts'
import type { Outcome } from './requests.ts'
import type { Limit } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'

/** The most requests of a page under a limit. One visitor in five makes twice as many. */
const PAGE_REQUESTS_MAX = 60
const PAGE_TAKES_MS = 1_500

export class Inside {
  readonly #around: Surroundings
  readonly #doors: Doors
  readonly #edges: Edges
  readonly #crowd: Crowd

  constructor(around: Surroundings, doors: Doors, edges: Edges, crowd: Crowd) {
    this.#around = around
    this.#doors = doors
    this.#edges = edges
    this.#crowd = crowd
  }

  /** A page view every few seconds until the visitor leaves. The session then ends by itself. */
  browse(visitor: number): void {
    const { agenda, counts, random, scenario } = this.#around
    const { nowMs } = agenda
    if (nowMs >= this.#crowd.stays.leavesMs(visitor)) return this.#leave(visitor)
    const sid = this.#crowd.sid(visitor)
    counts.pageViews++
    if (scenario.limit) this.#viewPage(visitor, sid, scenario.limit)
    else {
      counts.objectCalls++
      if (this.touch(visitor, { sid, protectMs: 0 }).verdict === 'gone') return
    }
    agenda.appoint(visitor, nowMs + random.between(5_000, 25_000))
  }

  /** Returns the door's answer. The check fails if the door reports a session as over before its time. */
  touch(visitor: number, touch: Touch): TouchAnswer {
    const { agenda, checks } = this.#around
    const answer = this.#doors.touch(visitor, touch)
    if (answer.verdict === 'gone') checks.lostSession(visitor, this.#crowd.stays.expiresMs(visitor), agenda.nowMs)
    else this.#crowd.stays.renew(visitor, answer.expiresMs)
    return answer
  }

  /** A page is many requests at once, at several isolates. One visitor in five wants far more than the limit allows. */
  #viewPage(visitor: number, sid: string, { burst }: Limit): void {
    const { agenda, random } = this.#around
    const most = Math.min(PAGE_REQUESTS_MAX, burst)
    const count = visitor % 5 === 0 ? 2 * most : 1 + random.below(most)
    for (let i = 0; i < count; i++) {
      const edge = this.#edges.near(this.#crowd.edge(visitor))
      agenda.at(agenda.nowMs + random.next() * PAGE_TAKES_MS, () =>
        edge.requests?.request(sid, outcome => this.#note(visitor, sid, outcome)),
      )
    }
  }

  #note(visitor: number, sid: string, outcome: Outcome): void {
    const { agenda, checks } = this.#around
    const { limit } = checks
    if (!limit) return
    if (outcome === 'allowed') checks.passed(visitor, sid, agenda.nowMs)
    else if (outcome === 'limited') limit.limited++
    else if (outcome === 'alone') limit.alone++
    else this.#crowd.stays.leave(visitor, Math.min(this.#crowd.stays.leavesMs(visitor), agenda.nowMs))
  }

  /**
   * Some visitors return with their old ticket, whether their session is live or over. It must not admit them again.
   */
  #leave(visitor: number): void {
    const { agenda, random, scenario } = this.#around
    if (!random.chance(scenario.duplicate)) return
    const ticket = this.#crowd.copyOfTicket(visitor)
    const afterMs = random.next() * 2 * scenario.sessionMs
    agenda.at(agenda.nowMs + afterMs, () => this.#doors.claim(visitor, ticket, () => {}))
  }
}
