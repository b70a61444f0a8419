/** What a run was like: use of the rate, order, waits, windows. */
import { burstOf } from '../../src/core/permits.ts'
import type { World } from './world.ts'

export interface Figures {
  admitted: number
  violations: number
  usedShare: number
  maxWindow: Record<string, number>
  boundWindow: Record<string, number>
  mostInside: number
  waitP50Seconds: number
  waitP95Seconds: number
  displacementP50Seconds: number
  displacementP95Seconds: number
  displacementP95Places: number
  kendallTau: number
  pollsPerVisitor: number
  objectCallsPerVisitor: number
  missed: number
  lastAdmittedSeconds: number
}

const WINDOWS_SECONDS = [1, 10, 60]

export function figuresOf(world: World): Figures {
  const { checks, scenario } = world
  const at = checks.admittedAt
  const faithful = world.visitors.filter(v => v.admittedMs > 0 && v.patience === Number.POSITIVE_INFINITY)
  const waits = faithful.map(v => (v.admittedMs - v.arrivedMs) / 1_000).sort((a, b) => a - b)
  const perSecond = scenario.ratePerMinute / 60
  const displacement = displacementPlaces(checks.admittedKeys)
  const sorted = displacement.map(Math.abs).sort((a, b) => a - b)
  return {
    admitted: at.length,
    violations: checks.violations.length,
    usedShare: round(usedShare(world), 4),
    maxWindow: Object.fromEntries(WINDOWS_SECONDS.map(s => [s, maxIn(at, s * 1_000)])),
    boundWindow: Object.fromEntries(
      WINDOWS_SECONDS.map(s => [s, Math.floor(perSecond * s + burstOf(scenario.ratePerMinute) + 1e-9)]),
    ),
    mostInside: checks.mostInside,
    waitP50Seconds: round(quantile(waits, 0.5), 1),
    waitP95Seconds: round(quantile(waits, 0.95), 1),
    displacementP50Seconds: round(quantile(sorted, 0.5) / perSecond, 2),
    displacementP95Seconds: round(quantile(sorted, 0.95) / perSecond, 2),
    displacementP95Places: round(quantile(sorted, 0.95), 1),
    kendallTau: round(kendallTau(checks.admittedKeys), 4),
    pollsPerVisitor: round(world.polls / world.visitors.length, 1),
    objectCallsPerVisitor: round(world.objectCalls / world.visitors.length, 2),
    missed: world.missed,
    lastAdmittedSeconds: round(((at.at(-1) ?? world.startMs) - world.startMs) / 1_000, 1),
  }
}

/** Share of the permits that the rate allowed while at least a few seconds' worth of people waited. */
function usedShare(world: World): number {
  const perSecond = world.scenario.ratePerMinute / 60
  let permitted = 0
  let used = 0
  let before = world.samples[0]
  for (const sample of world.samples.slice(1)) {
    if (before && before.waiting > Math.max(5, perSecond * 10) && sample.waiting > Math.max(5, perSecond * 10)) {
      permitted += (perSecond * (sample.atMs - before.atMs)) / 1_000
      used += sample.admitted - before.admitted
    }
    before = sample
  }
  return permitted === 0 ? 1 : used / permitted
}

/** How many places later (or earlier) each admission came than its key's rank among all admitted. */
export function displacementPlaces(keys: readonly number[]): number[] {
  const order = keys.map((key, index) => ({ key, index })).sort((a, b) => a.key - b.key)
  const places = new Array<number>(keys.length).fill(0)
  order.forEach(({ index }, rank) => {
    places[index] = index - rank
  })
  return places
}

/** Kendall's tau of the order of admission against the order of keys, by counting inversions. */
function kendallTau(keys: readonly number[]): number {
  const n = keys.length
  if (n < 2) return 1
  const inversions = countInversions([...keys])
  return 1 - (4 * inversions) / (n * (n - 1))
}

function countInversions(values: number[]): number {
  if (values.length < 2) return 0
  const middle = values.length >> 1
  const left = values.slice(0, middle)
  const right = values.slice(middle)
  let inversions = countInversions(left) + countInversions(right)
  let l = 0
  let r = 0
  for (let i = 0; i < values.length; i++) {
    if (r >= right.length || (l < left.length && (left[l] as number) <= (right[r] as number)))
      values[i] = left[l++] as number
    else {
      values[i] = right[r++] as number
      inversions += left.length - l
    }
  }
  return inversions
}

/** The most of the times (ascending) in any window of that length, its end excluded. */
export function maxIn(times: readonly number[], windowMs: number): number {
  let most = 0
  let from = 0
  for (let to = 0; to < times.length; to++) {
    while ((times[to] as number) - (times[from] as number) >= windowMs) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
