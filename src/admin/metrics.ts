/**
 * The rooms' stats for Prometheus, in its text format 0.0.4. Names and units follow its conventions: base units, and
 * `_total` for values that only grow.
 */

import { admittedInMain } from '../core/permits/lanes.ts'
import type { RoomFigures, UpstreamFigures } from '../core/protocol/calls.ts'
import { MAIN_LANE } from '../core/ticket.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The current stats of a room, null when it does not answer. */
export interface Measured {
  readonly room: string
  readonly figures: RoomFigures | null
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | boolean | null]

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  /** A null value is left out. */
  readonly of: (figures: RoomFigures) => readonly Sample[]
}

const one = (of: (figures: RoomFigures) => Sample[1]) => (figures: RoomFigures) => [[{}, of(figures)] as const]
const eachUpstream = (of: (upstream: UpstreamFigures) => readonly Sample[]) => (figures: RoomFigures) =>
  figures.health.upstreams.flatMap(upstream =>
    of(upstream).map(([labels, value]): Sample => [{ upstream: upstream.name, ...labels }, value]),
  )
const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000)

const FAMILIES: readonly Family[] = [
  gauge(
    'active_sessions',
    'Visitors inside',
    one(figures => figures.active),
  ),
  gauge(
    'places',
    'Places in force, after events and health',
    one(figures => figures.totalActiveUsers),
  ),
  gauge(
    'permits_out',
    'Permits that doors have in hand',
    one(figures => figures.permitsOut),
  ),
  gauge(
    'permits_banked',
    'Permits that could be given at once',
    one(figures => figures.permitsBanked),
  ),
  gauge(
    'rate_per_minute',
    'Admissions a minute in force, after events and health',
    one(rate => rate.effectiveRatePerMinute),
  ),
  gauge(
    'remaining',
    'The rest of the budget; absent without one',
    one(figures => figures.remaining),
  ),
  gauge(
    'open',
    'Whether visitors come in without waiting',
    one(figures => figures.open),
  ),
  gauge(
    'held',
    'Whether no visitor is let in',
    one(figures => figures.held),
  ),
  gauge('waiting_visitors', 'Visitors in line', byLane('waiting')),
  gauge('standing_visitors', 'Visitors who are called and wait only for a permit', byLane('standing')),
  gauge(
    'draw_entries',
    'Visitors who wait for a draw',
    one(figures => figures.entries),
  ),
  counter('admitted_total', 'Visitors let in', byLane('admitted')),
  counter('counted_total', 'Counts of edges and doors, by kind', ({ totals }) =>
    Object.entries(totals)
      .filter(([kind]) => kind !== 'admitted' && !kind.includes('/'))
      .map(([kind, value]): Sample => [{ kind }, value]),
  ),
  counter('verdicts_total', 'Decisions of the gate, but for sessions that go on', ({ verdicts }) =>
    Object.entries(verdicts).map(([cell, value]): Sample => {
      const [verdict = '', why = ''] = cell.split('/')
      return [{ verdict, why }, value]
    }),
  ),
  counter('limit_decisions_total', 'Requests by the outcome of a rate limit', ({ limits }) =>
    Object.entries(limits).flatMap(([policy, { near: _, ...decisions }]) =>
      Object.entries(decisions).map(([decision, value]): Sample => [{ policy, decision }, value]),
    ),
  ),
  counter('limit_near_total', 'Leases lent with at least 80 % of the burst in use', ({ limits }) =>
    Object.entries(limits).map(([policy, { near }]): Sample => [{ policy }, near]),
  ),
  gauge(
    'health_ceiling_sessions',
    'Sessions that the origin bears; absent while unknown',
    one(({ health }) => health.ceiling),
  ),
  gauge(
    'health_inside_ratio',
    'The share of those inside whose requests go to the origin',
    one(({ health }) => health.inside),
  ),
  gauge(
    'upstream_breaker',
    'The state of a breaker as it is in force: 1 for the present state',
    eachUpstream(({ breaker }) =>
      (['closed', 'half-open', 'open'] as const).map((state): Sample => [{ state }, state === breaker]),
    ),
  ),
  gauge(
    'upstream_samples',
    'Answers timed in the last minute',
    eachUpstream(({ samples }) => [[{}, samples]]),
  ),
  gauge(
    'upstream_latency_seconds',
    'Time to the first byte in the last minute; absent without answers',
    eachUpstream(({ p50Ms, p95Ms }) => [
      [{ quantile: '0.5' }, seconds(p50Ms)],
      [{ quantile: '0.95' }, seconds(p95Ms)],
    ]),
  ),
  gauge(
    'upstream_apdex_ratio',
    'Apdex of the last minute',
    eachUpstream(({ apdex }) => [[{}, apdex]]),
  ),
  gauge(
    'upstream_failure_ratio',
    'The share of failures of the last minute',
    eachUpstream(({ failures }) => [[{}, failures]]),
  ),
  gauge('door_silent_seconds', 'Since the last report of a door', ({ doors }) =>
    doors.map(({ name, heardMsAgo }): Sample => [{ door: name }, seconds(heardMsAgo)]),
  ),
]

export function exposition(rooms: readonly Measured[]): string {
  const up: Family = gauge('room_up', 'Whether the room answers', () => [])
  const lines = [...heading(up), ...rooms.map(({ room, figures }) => line(up.name, { room }, figures !== null))]
  for (const family of FAMILIES) {
    const samples = rooms.flatMap(({ room, figures }) =>
      (figures ? family.of(figures) : []).flatMap(([labels, value]) =>
        value === null ? [] : [line(family.name, { room, ...labels }, value)],
      ),
    )
    if (samples.length > 0) lines.push(...heading(family), ...samples)
  }
  return `${lines.join('\n')}\n`
}

function gauge(name: string, help: string, of: Family['of']): Family {
  return { name: `antesala_${name}`, help, type: 'gauge', of }
}

function counter(name: string, help: string, of: Family['of']): Family {
  return { name: `antesala_${name}`, help, type: 'counter', of }
}

/** A room without lanes has one line, the main one. Admissions through a lane that was removed do not count for it. */
function byLane(what: 'waiting' | 'standing' | 'admitted'): Family['of'] {
  return figures => {
    if (figures.lanes.length > 0) return figures.lanes.map(lane => [{ lane: lane.name }, lane[what]])
    const value = what === 'admitted' ? admittedInMain(figures.totals) : figures[what]
    return [[{ lane: MAIN_LANE }, value]]
  }
}

function heading({ name, help, type }: Family): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function line(name: string, labels: Labels, value: number | boolean): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${Number(value)}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
