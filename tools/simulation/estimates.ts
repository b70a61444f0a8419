/**
 * Keeps waits that were shown, to compare them with the real waits. Each visitor has three of those shown after the
 * first ten minutes: the first, the last, and a random one. And each has a random one of all ranges.
 */
import type { Wait } from '../../src/core/place/estimate.ts'
import { START_MS } from './scenario.ts'
import type { Estimate, Visitor } from './visitor.ts'

const FROM_MS = START_MS + 10 * 60_000

/** `random`, uniform in [0, 1), gives each of a visitor's estimates the same chance to be kept. */
export function keepEstimate(visitor: Visitor, waitMs: number, random: number, nowMs: number): void {
  if (nowMs < FROM_MS) return
  const estimate = { atMs: nowMs, waitMs }
  visitor.waits ??= { count: 0, first: estimate, last: { ...estimate }, any: { ...estimate } }
  const { waits } = visitor
  waits.count++
  Object.assign(waits.last, estimate)
  if (random * waits.count < 1) Object.assign(waits.any, estimate)
}

/** `random`, uniform in [0, 1), gives each of a visitor's ranges the same chance to be kept. */
export function keepRange(visitor: Visitor, { lowMs, highMs }: Wait, random: number, nowMs: number): void {
  visitor.rangesShown++
  if (random * visitor.rangesShown < 1) visitor.range = { fromMs: nowMs + lowMs, untilMs: nowMs + highMs }
}

/** Returns the share of the ranges shown to admitted visitors within which they came in, or null without ranges. */
export function rangesTrueShare(visitors: readonly Visitor[]): number | null {
  const isTrue = visitors.flatMap(({ range, stay }) =>
    range && stay ? [stay.admittedMs >= range.fromMs && stay.admittedMs <= range.untilMs] : [],
  )
  return isTrue.length === 0 ? null : isTrue.filter(Boolean).length / isTrue.length
}

/** Errors of the estimates of admitted visitors: relative to the real wait, and in seconds for the last. */
export function estimateErrors(visitors: readonly Visitor[]) {
  const any: number[] = []
  const first: number[] = []
  const lastSeconds: number[] = []
  for (const { waits, stay } of visitors) {
    if (!waits || !stay) continue
    any.push(shareWrong(waits.any, stay.admittedMs))
    first.push(shareWrong(waits.first, stay.admittedMs))
    lastSeconds.push(wrongMs(waits.last, stay.admittedMs) / 1_000)
  }
  return { any, first, lastSeconds }
}

function shareWrong(estimate: Estimate, admittedMs: number): number {
  return wrongMs(estimate, admittedMs) / Math.max(1_000, admittedMs - estimate.atMs)
}

function wrongMs({ atMs, waitMs }: Estimate, admittedMs: number): number {
  return Math.abs(waitMs - (admittedMs - atMs))
}
