/** The isolates of a simulated edge and the room's health behind them: the production code. */
import { admissionLimitsNow, goesOn, type HealthSnapshot, healthSnapshot } from '../../src/core/health/effect.ts'
import { advance } from '../../src/core/health/health.ts'
import { ingest } from '../../src/core/health/ingest.ts'
import { ORIGIN, type Outcome, outcomeOf, WINDOW_MS } from '../../src/core/health/outcome.ts'
import type { Load } from '../../src/core/health/presence.ts'
import { type HealthRules, newHealth } from '../../src/core/health/state.ts'
import type { HealthStep } from '../../src/core/health/step.ts'
import { lotOfSession, NEWCOMERS_LOT } from '../../src/core/health/votes.ts'
import type { AdmissionLimits } from '../../src/core/permits/bank.ts'
import { readCells } from '../../src/core/protocol/health-cells.ts'
import { Ballots, type OwnSamples } from '../../src/edge/room-client/ballots.ts'
import { Random } from '../simulation/random.ts'
import { RULES } from './control.ts'

/** One request of a session. At `nowMs` its outcome, or a part of the outcome, became known. */
export interface Answer {
  readonly isolate: number
  readonly sid: string
  readonly isNew: boolean
  readonly sentMs: number
  readonly nowMs: number
}

/** The rules of the replays. Their times are shorter than the defaults, because a replay is short. */
const REPLAY_RULES: HealthRules = {
  ...RULES,
  cooldownMs: 24_000,
  rampMs: 18_000,
  sessionsMin: 5,
  upstreams: [{ name: ORIGIN, critical: true, apdexTarget: 0.85, openMs: 6_000 }],
}
/** This is added to virtual time, because virtual time begins at 0 and cells need a real date. */
const START_MS = 1_700_000_000_000

export class EdgeVotes {
  readonly steps: HealthStep[] = []
  readonly #targetMs: number
  readonly #random: Random
  readonly #state = newHealth(START_MS)
  readonly #isolates: { readonly ballots: Ballots; readonly own: Map<string, OwnSamples> }[]
  /** Reports that the doors have received. The doors pass them on a second later. */
  #underWay: Record<string, number> = {}

  constructor(isolates: number, targetMs: number, seed: number) {
    this.#targetMs = targetMs
    this.#random = new Random(seed + 1)
    this.#isolates = Array.from({ length: isolates }, () => ({
      ballots: new Ballots(),
      own: new Map(),
    }))
  }

  noteHere(isolate: number, sid: string, isNew: boolean, nowMs: number): void {
    if (!isNew) this.#isolates[isolate]?.ballots.note(ORIGIN, lotOfSession(sid), START_MS + nowMs)
  }

  /** Notes an answer that came within four times the target, or a failure (`tookMs` is null). */
  answered(answer: Answer, tookMs: number | null): void {
    this.sample(answer, tookMs === null ? 'failed' : outcomeOf(tookMs, this.#targetMs))
  }

  sample(answer: Answer, outcome: Outcome): void {
    this.#isolates[answer.isolate]?.ballots.add(this.#sampled(answer), outcome, START_MS + answer.nowMs)
  }

  turnedFailed(answer: Answer): void {
    this.#isolates[answer.isolate]?.ballots.turnFailed(this.#sampled(answer), START_MS + answer.nowMs)
  }

  decide(load: Load, operator: AdmissionLimits, nowMs: number) {
    const moment = { load, operator, rules: REPLAY_RULES, nowMs: START_MS + nowMs, random: this.#random.next() }
    ingest(this.#state, readCells(this.#underWay, moment.nowMs).votes, REPLAY_RULES, moment.nowMs)
    const cells: Record<string, number> = {}
    for (const { ballots } of this.#isolates)
      ballots.take(cell => {
        cells[cell] = 1
      })
    this.#underWay = cells
    this.steps.push(...advance(this.#state, moment))
    return {
      limits: admissionLimitsNow(this.#state, load, operator, moment),
      snapshot: healthSnapshot(this.#state, load, operator, moment),
    }
  }

  #sampled({ isolate, sid, isNew, sentMs }: Answer) {
    const at = this.#isolates[isolate]
    const own = at?.own.get(sid) ?? {}
    at?.own.set(sid, own)
    const lot = isNew ? NEWCOMERS_LOT : lotOfSession(sid)
    return { upstream: ORIGIN, lot, own, path: '/', sentMs: START_MS + sentMs }
  }
}

/** Whether an isolate lets a session go on during an outage. In each window one request may go on as a trial. */
export function mayGoOn(
  person: { readonly sid: string; readonly isNew: boolean; isTrial: boolean },
  isolate: { triedMs: number },
  snapshot: HealthSnapshot,
  nowMs: number,
): boolean {
  person.isTrial = snapshot.inside > 0 && (person.isTrial || person.isNew)
  return goesOn(snapshot, person.sid, person.isTrial, () => {
    if (nowMs - isolate.triedMs < WINDOW_MS) return false
    isolate.triedMs = nowMs
    person.isTrial = true
    return true
  })
}
