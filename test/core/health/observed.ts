import { admissionLimitsNow, healthSnapshot } from '../../../src/core/health/effect.ts'
import { advance, probed } from '../../../src/core/health/health.ts'
import { ingest } from '../../../src/core/health/ingest.ts'
import { type Outcome, pointsOf } from '../../../src/core/health/outcome.ts'
import { type HealthRules, type HealthState, newHealth } from '../../../src/core/health/state.ts'
import { type Ballot, lotOfSession, marksOf } from '../../../src/core/health/votes.ts'
import { type Decision, decisionsOf } from '../../../src/core/history/decisions.ts'
import { readCells, votesCell } from '../../../src/core/protocol/health-cells.ts'
import { RULES } from '../../../tools/health/control.ts'

export const START = 1_700_000_000_000
export const OPERATOR = { ratePerMinute: 600, totalActiveUsers: 1_000 }
export const origin = { name: 'origin', critical: true, apdexTarget: 0.85, openMs: 30_000 }
export const payment = { name: 'payment', critical: false, apdexTarget: 0.85, openMs: 30_000 }

export type Served = Partial<Record<Outcome, number>>
export const GOOD: Served = { satisfied: 100 }
export const SLOW: Served = { satisfied: 50, tolerating: 50 }
export const DOWN: Served = { failed: 100 }

export function rulesOf(changes: Partial<HealthRules> = {}): HealthRules {
  return { ...RULES, upstreams: [origin, payment], ...changes }
}

export function marksFor(outcome: Outcome): number {
  return marksOf({ samples: 1, points: pointsOf(outcome), failed: outcome === 'failed' ? 1 : 0 })
}

/** Returns a ballot in which each of the served sessions votes once. */
export function ballotOf(served: Served): Ballot {
  const outcomes = Object.entries(served).flatMap(([outcome, count]) => Array<Outcome>(count).fill(outcome as Outcome))
  return Object.fromEntries(outcomes.map((outcome, n) => [n + 3, marksFor(outcome)]))
}

/** Returns the vote of the session with this sid. */
export function voteOf(upstream: string, sid: string, outcome: Outcome | 'answered', sentMs: number): string {
  const marks = outcome === 'answered' ? 0 : marksFor(outcome)
  return votesCell(upstream, { [lotOfSession(sid)]: marks }, sentMs)
}

/**
 * A room with 800 active sessions and a line. Each window of 5 s brings one report, and then the room decides. It does
 * not know which sessions are there.
 */
export class Observed {
  readonly health: HealthState = newHealth(START)
  readonly decisions: Decision[] = []
  readonly random = 0.5
  rules: HealthRules
  operator = OPERATOR
  nowMs = START
  inside = 800
  admitted = 0
  hasDemand = true

  constructor(rules = rulesOf()) {
    this.rules = rules
    this.health.presence.knownFromMs = Number.POSITIVE_INFINITY
  }

  get load() {
    return { inside: this.inside, admitted: this.admitted, hasDemand: this.hasDemand }
  }

  /** Adds a window in which sessions were served like this, and lets the window pass. */
  window(served: Served, upstream = 'origin'): this {
    this.nowMs += 5_000
    const sentMs = this.nowMs - 1_000
    const ballot = ballotOf(served)
    const votes =
      Object.keys(ballot).length === 0 ? [] : [{ kind: 'votes', upstream, sentByMs: sentMs + 1_000, ballot } as const]
    ingest(this.health, votes, this.rules, this.nowMs)
    return this.pass(0)
  }

  windows(count: number, served: Served, upstream?: string): this {
    for (let i = 0; i < count; i++) this.window(served, upstream)
    return this
  }

  pass(ms: number): this {
    this.nowMs += ms
    this.decisions.push(...decisionsOf(advance(this.health, this), this.health, this))
    return this
  }

  /** Ingests cells as they come, and decides what need not wait. Returns the breakers that are not closed. */
  report(...cells: string[]): Readonly<Record<string, string>> {
    const reports = readCells(Object.fromEntries(cells.map(cell => [cell, 1])), this.nowMs)
    ingest(this.health, reports.votes, this.rules, this.nowMs)
    return this.pass(0).snapshot?.breakers ?? {}
  }

  probe(tookMs: number | null, upstream = origin): void {
    const steps = probed(this.health, upstream, { tookMs, targetMs: 500 }, this)
    this.decisions.push(...decisionsOf(steps, this.health, this))
  }

  get limits() {
    return admissionLimitsNow(this.health, this.load, this.operator, this)
  }

  get snapshot() {
    return healthSnapshot(this.health, this.load, this.operator, this)
  }

  /** Plays `count` windows with as many active sessions as the limit allows. */
  full(count: number, served: Served): this {
    for (let i = 0; i < count; i++) {
      this.inside = this.limits.totalActiveUsers
      this.window(served)
    }
    return this
  }

  /** Plays slow windows until the ceiling reaches its minimum. */
  lowest(): this {
    for (let i = 0; i < 60; i++) this.full(2, SLOW).pass(140_000)
    return this
  }

  get kinds() {
    return this.decisions.map(({ did }) => did.kind)
  }
}
