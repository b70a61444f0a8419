/** The isolates: each has a snapshot of the room, counts for its home door, and has a clock with a small error. */

import type { Quota } from '../../src/core/gcra.ts'
import * as edgeHalf from '../../src/core/protocol/edge.ts'
import type { EdgeReply } from '../../src/core/protocol/messages.ts'
import type { Doors } from './doors.ts'
import { Requests } from './requests.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** This share of a visitor's requests goes to a random isolate. The rest go to the visitor's first isolate. */
const ROAMING = 0.1

export interface Edge {
  readonly state: edgeHalf.EdgeState<never>
  home: number
  readonly skewMs: number
  /** Null if sessions have no rate limit. */
  requests: Requests | null
  syncing: boolean
  /** Doors that were found without permits after the snapshot was made. */
  readonly emptyDoors: Set<string>
  /** Visitors whose request waits for a current snapshot. The request came at `askedMs`. */
  waiting: { readonly visitor: Visitor; readonly askedMs: number }[]
}

export class Edges {
  readonly #around: Surroundings
  readonly #doors: Doors
  readonly #edges: readonly Edge[]
  readonly #answer: (visitor: Visitor, edge: Edge, askedMs: number) => void

  /** `answer` handles a request from outside the site, once the edge's snapshot is current. */
  constructor(around: Surroundings, doors: Doors, answer: (visitor: Visitor, edge: Edge, askedMs: number) => void) {
    this.#around = around
    this.#doors = doors
    this.#answer = answer
    const { scenario } = around
    const { edges, clockSkewMs } = scenario
    const doorCount = scenario.growsFrom ?? scenario.doors
    this.#edges = Array.from({ length: edges }, (_, index) => ({
      state: edgeHalf.newEdge<never>(`i${index}`),
      home: index % doorCount,
      skewMs: Math.round(around.random.between(-clockSkewMs, clockSkewMs)),
      requests: null,
      syncing: false,
      emptyDoors: new Set<string>(),
      waiting: [],
    }))
  }

  /** From now on the requests of sessions are limited. */
  limit(quota: Quota): void {
    for (const edge of this.#edges) {
      const isolate = { isolate: edge.state.isolate, skewMs: edge.skewMs }
      edge.requests = new Requests(quota, isolate, this.#around, this.#doors)
    }
  }

  /** Returns the visitor's first isolate, or sometimes a random one. */
  near({ edge }: Visitor): Edge {
    const { random } = this.#around
    return this.#edges[random.chance(ROAMING) ? random.below(this.#edges.length) : edge] as Edge
  }

  /** Handles a request of a visitor outside. Answers at once if the edge has a current snapshot. */
  request(visitor: Visitor): void {
    const edge = this.near(visitor)
    const { nowMs } = this.#around.agenda
    if (!edge.syncing && edgeHalf.wantsNewSnapshot(edge.state, nowMs)) this.#sync(edge)
    if (edgeHalf.isCurrent(edge.state, nowMs)) this.#answer(visitor, edge, nowMs)
    else edge.waiting.push({ visitor, askedMs: nowMs })
  }

  /** Calls that isolates made about the requests of sessions. */
  get limitCalls(): number {
    return this.#edges.reduce((sum, { requests }) => sum + (requests?.calls ?? 0), 0)
  }

  #sync(edge: Edge): void {
    const { agenda, network, random, scenario } = this.#around
    edge.syncing = true
    const sentMs = agenda.nowMs
    const report = edgeHalf.edgeReport(edge.state, sentMs)
    network.call<EdgeReply<never>>(
      reply => this.#doors.sync(edge.home, report, reply),
      reply => {
        if (reply) {
          const before = edge.state.snapshot?.doors?.count
          edgeHalf.applyEdgeReply(edge.state, reply, sentMs)
          const count = edge.state.snapshot?.doors?.count
          if (scenario.growsFrom && count !== before) edge.home = random.below(count ?? 1)
          edge.emptyDoors.clear()
        }
        edge.syncing = false
        const { waiting } = edge
        edge.waiting = []
        for (const { visitor, askedMs } of waiting) this.#answer(visitor, edge, askedMs)
      },
    )
  }
}
