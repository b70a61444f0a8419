/**
 * An endless crowd before a simulated origin: the room's permits and a controller decide how many are inside.
 *
 * Time advances in seconds. A visitor inside makes a request, waits for the answer, thinks, and makes the next, until
 * it leaves. Its place stays taken for a while, like that of a session that has not expired yet.
 */
import { type AdmissionLimits, type Bank, fill, grantable } from '../../src/core/permits/bank.ts'
import { Random } from '../simulation/random.ts'
import type { Control } from './control.ts'
import { type Answered, CAPACITY_PER_SECOND, type Condition, Origin, TARGET_MS, TIMEOUT_MS } from './origin.ts'

export interface Trial {
  readonly seed: number
  readonly seconds: number
  /** Mean time inside. In the first half a visitor makes requests. The second half passes until the session expires. */
  readonly sessionSeconds: number
  readonly condition: (second: number) => Condition
  /** Extra delay of each sample to the room, and the share of samples that are lost. */
  readonly reportDelaySeconds?: number
  readonly reportsLost?: number
  /** The operator's limit on sessions, as a multiple of what the origin bears. */
  readonly totalOverKnee?: number
  /** From this second on no visitors arrive. */
  readonly crowdUntil?: number
}

/** One second of a run. */
export interface Moment {
  readonly second: number
  readonly inside: number
  readonly ceiling: number
  /** Share of the visitors inside who may make requests. */
  readonly share: number
  readonly asked: number
  readonly served: number
  /** Each satisfied answer gives one point, and each tolerated answer gives half a point. */
  readonly apdexPoints: number
  readonly tookMs: readonly number[]
  readonly capacityPerSecond: number
  /** The number of sessions that would keep the origin just busy. */
  readonly knee: number
}

interface Visitor {
  readonly leavesMs: number
  readonly endsMs: number
  readonly sid: string
  /** A random number in [0, 1). If it is below the share, the visitor may make requests. */
  readonly lot: number
}

const THINK_MS = 4_000
/** The operator allows far more than the origin bears, so the controller must find the limit. */
const OPERATOR_OVER_KNEE = 2.5
const START_MS = 1_000_000_000_000

function kneeOf(capacityPerSecond: number): number {
  // Half of the visitors inside make requests. Each request takes a think time and an answer time.
  return (2 * capacityPerSecond * (THINK_MS + 200)) / 1_000
}

export function play(trial: Trial, control: Control): readonly Moment[] {
  const random = new Random(trial.seed)
  const origin = new Origin(random)
  const knee = kneeOf(CAPACITY_PER_SECOND)
  const total = Math.round(knee * (trial.totalOverKnee ?? OPERATOR_OVER_KNEE))
  const ratePerMinute = (2 * Math.round(knee * OPERATOR_OVER_KNEE) * 60) / trial.sessionSeconds
  const operator: AdmissionLimits = { totalActiveUsers: total, ratePerMinute }
  const bank: Bank = { banked: 0, filledAtMs: START_MS }
  const asks: Visitor[][] = []
  const ends: number[] = []
  const arriving: Answered[][] = []
  const moments: Moment[] = []
  let inside = 0
  let everAdmitted = 0
  for (let second = 0; second < trial.seconds; second++) {
    const nowMs = START_MS + second * 1_000
    const ended = ends[second] ?? 0
    inside -= ended
    const hasDemand = second < (trial.crowdUntil ?? Number.POSITIVE_INFINITY)
    const load = { inside, admitted: everAdmitted, hasDemand }
    for (const answer of arriving[second] ?? []) if (!random.chance(trial.reportsLost ?? 0)) control.take(answer, nowMs)
    const { limits, share, ceiling } = control.decide(load, operator, nowMs)
    fill(bank, 0, limits, nowMs)
    const admitted = hasDemand ? grantable(bank, inside, 0, limits) : 0
    bank.banked -= admitted
    inside += admitted
    everAdmitted += admitted
    for (let i = 0; i < admitted; i++) {
      const half = (-Math.log(1 - random.next()) * trial.sessionSeconds * 1_000) / 2
      const visitor = {
        sid: `s${everAdmitted - i}`,
        leavesMs: nowMs + half,
        endsMs: nowMs + half + trial.sessionSeconds * 500,
        lot: random.next(),
      }
      const end = Math.floor((visitor.endsMs - START_MS) / 1_000) + 1
      ends[end] = (ends[end] ?? 0) + 1
      queue(asks, second, visitor)
    }
    const condition = trial.condition(second)
    const here = asks[second] ?? []
    const times = here.map(() => nowMs + random.next() * 1_000).sort((a, b) => a - b)
    let asked = 0
    let served = 0
    let apdexPoints = 0
    const tookMs: number[] = []
    here.forEach((visitor, index) => {
      const atMs = times[index] ?? nowMs
      if (visitor.leavesMs < atMs) return
      if (visitor.lot >= share) {
        queue(asks, second + 5 + random.below(10), visitor)
        return
      }
      const answer = { ...origin.serve(atMs, condition), sid: visitor.sid }
      asked++
      if (answer.ok) served++
      if (answer.ok) apdexPoints += answer.tookMs <= TARGET_MS ? 1 : answer.tookMs <= 4 * TARGET_MS ? 0.5 : 0
      tookMs.push(answer.ok ? answer.tookMs : TIMEOUT_MS)
      // If an answer is still missing after four times the target, it is known to be late.
      const knownMs = atMs + Math.min(answer.tookMs, 4 * TARGET_MS)
      const reported = Math.floor((knownMs - START_MS) / 1_000) + 2 + (trial.reportDelaySeconds ?? 0)
      queue(arriving, reported, answer)
      const thinksMs = -Math.log(1 - random.next()) * THINK_MS
      queue(asks, Math.max(second + 1, Math.floor((atMs + answer.tookMs + thinksMs - START_MS) / 1_000)), visitor)
    })
    const capacityPerSecond = condition.down === 'no' ? CAPACITY_PER_SECOND * condition.speed : 0
    moments.push({
      second,
      inside,
      ceiling,
      share,
      asked,
      served,
      apdexPoints,
      tookMs,
      capacityPerSecond,
      knee: kneeOf(capacityPerSecond),
    })
    delete arriving[second]
    delete asks[second]
  }
  return moments
}

function queue<Item>(seconds: Item[][], second: number, item: Item): void {
  const there = seconds[second]
  if (there) there.push(item)
  else seconds[second] = [item]
}
