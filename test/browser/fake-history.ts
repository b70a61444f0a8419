/** The past of a room in the fake admin API: a day in which a crowd came, and the operator raised the rate. */
import { type HistoryStep, inSteps, unpacked } from '../../src/core/history/history.ts'
import type { HistoryReport } from '../../src/core/protocol/calls.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Answers as the room does. It slept in the third hour of the day. */
export function fakeHistory(search: URLSearchParams, nowMs: number): HistoryReport {
  const toMs = Date.parse(search.get('to') ?? '') || nowMs
  const fromMs = Date.parse(search.get('from') ?? '') || toMs - 60 * MINUTE_MS
  const stepMs = Number(search.get('step') ?? 1) * MINUTE_MS
  const beganMs = nowMs - DAY_MS
  const minutes: HistoryStep[] = []
  for (let atMs = Math.floor(beganMs / MINUTE_MS) * MINUTE_MS; atMs < nowMs; atMs += MINUTE_MS) {
    const nth = Math.round((atMs - beganMs) / MINUTE_MS)
    if (atMs >= fromMs && atMs < toMs && Math.floor(nth / 60) !== 2) minutes.push(minuteOf(atMs, nth))
  }
  const change = { kind: 'change' as const, atMs: nowMs - 40 * MINUTE_MS, actor: 'Ana' }
  const decision = { kind: 'decision' as const, atMs: nowMs - 25 * MINUTE_MS, upstream: 'origin', enforced: true }
  const markers = [
    { ...change, request: { set: { new_users_per_minute: 120 } } },
    { ...decision, did: { kind: 'ceiling-lowered' as const, from: 900, to: 700 } },
    { kind: 'event' as const, atMs: nowMs - 50 * MINUTE_MS, turn: 'event-begun' as const, name: 'sale' },
  ]
  return {
    steps: inSteps(minutes, stepMs),
    markers: markers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).sort((a, b) => a.atMs - b.atMs),
  }
}

function minuteOf(atMs: number, nth: number): HistoryStep {
  const wave = (1 + Math.sin(nth / 97)) / 2
  const noise = ((nth * 7_919) % 23) / 23
  const ratePerMinute = nth > 1_400 ? 120 : 60
  const waiting = Math.round(1_500 * wave * wave)
  return {
    ...unpacked(atMs, {}),
    ...{
      arrived: Math.round(40 + 120 * wave + 20 * noise),
      confirmed: Math.round(30 + 90 * wave),
      called: 70,
      shown: 60,
    },
    ...{ admitted: Math.round(ratePerMinute * (0.93 + 0.07 * noise)), limited: noise > 0.9 ? 12 : 0, left: 1 },
    ...{ inside: Math.round(500 + 400 * wave), waiting, ratePerMinute, totalActiveUsers: 1_000 },
    ...{ waitMs: Math.round((waiting / ratePerMinute) * MINUTE_MS), samples: 800 },
    ...{ p95Ms: Math.round(180 + 400 * wave * noise), apdex: Math.round(1_000 * (1 - 0.2 * wave * noise)) / 1_000 },
  }
}
