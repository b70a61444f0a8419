/**
 * The rooms' stats for Prometheus, in its text format 0.0.4. Names and units follow its conventions: base units, and
 * `_total` for values that only grow.
 */

import { admittedInMain } from '../core/permits/lanes.ts'
import type { RoomStats } from '../core/protocol/calls.ts'
import { MAIN_LANE } from '../core/ticket.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The current stats of a room, null when it does not answer. */
export interface Measured {
  readonly room: string
  readonly figures: RoomStats | null
}

type Labels = Readonly<Record<string, string>>
type Value = number | boolean | null
type Sample = readonly [labels: Labels, value: Value]
/** One value of a room, or several with labels. A null value is left out. */
type Family = readonly [name: string, help: string, of: (figures: RoomStats) => Value | readonly Sample[]]

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const

const FAMILIES: readonly Family[] = [
  ['active_sessions', 'Visitors inside', figures => figures.active],
  ['places', 'Places in force, after events and health', figures => figures.totalActiveUsers],
  ['permits_out', 'Permits that doors have in hand', figures => figures.permitsOut],
  ['permits_banked', 'Permits that could be given at once', figures => figures.permitsBanked],
  ['rate_per_minute', 'Admissions a minute in force, after events and health', rate => rate.effectiveRatePerMinute],
  ['remaining', 'The rest of the budget; absent without one', figures => figures.remaining],
  ['open', 'Whether visitors come in without waiting', figures => figures.open],
  ['held', 'Whether no visitor is let in', figures => figures.held],
  ['waiting_visitors', 'Visitors in line', byLane('waiting')],
  ['standing_visitors', 'Visitors who are called and wait only for a permit', byLane('standing')],
  ['draw_entries', 'Visitors who wait for a draw', figures => figures.entries],
  ['admitted_total', 'Visitors let in', byLane('admitted')],
  ['counted_total', 'Counts of edges and doors, by kind', counts],
  ['verdicts_total', 'Decisions of the gate, but for sessions that go on', verdicts],
  ['limit_decisions_total', 'Requests by the outcome of a rate limit', limitDecisions],
  ['limit_near_total', 'Leases lent with at least 80 % of the burst in use', nearLimits],
  ['health_ceiling_sessions', 'Sessions that the origin bears; absent while unknown', ({ health }) => health.ceiling],
  ['health_state', 'The state of the origin: 1 for the present state', healthStates],
  [
    'health_there_sessions',
    'Sessions inside that were seen, or admitted, in the last minute',
    ({ health }) => health.there,
  ],
  ['health_inside_ratio', 'The share of those inside whose requests go to the origin', ({ health }) => health.inside],
  ['upstream_breaker', 'The state of a breaker as it is in force: 1 for the present state', breakers],
  ['upstream_samples', 'Answers timed in the last minute', byUpstream('samples')],
  ['upstream_latency_seconds', 'Time to the first byte in the last minute; absent without answers', latencies],
  ['upstream_apdex_ratio', 'Apdex of the last minute', byUpstream('apdex')],
  ['upstream_failure_ratio', 'The share of failures of the last minute', byUpstream('failures')],
  ['door_calls_per_second', 'Calls and syncs of edges at a door', doorCalls],
  ['door_silent_seconds', 'Since the last report of a door', silences],
]

export function exposition(rooms: readonly Measured[]): string {
  const up = rooms.map(({ room, figures }) => line('antesala_room_up', { room }, figures !== null))
  const lines = [...heading('antesala_room_up', 'Whether the room answers'), ...up]
  for (const [short, help, of] of FAMILIES) {
    const name = `antesala_${short}`
    const samples = rooms.flatMap(({ room, figures }) => (figures ? linesOf(name, room, of(figures)) : []))
    if (samples.length > 0) lines.push(...heading(name, help), ...samples)
  }
  return `${lines.join('\n')}\n`
}

/** A room without lanes has one line, the main one. Admissions through a lane that was removed do not count for it. */
function byLane(what: 'waiting' | 'standing' | 'admitted') {
  return (figures: RoomStats): Sample[] => {
    if (figures.lanes.length > 0) return figures.lanes.map(lane => [{ lane: lane.name }, lane[what]])
    const value = what === 'admitted' ? admittedInMain(figures.totals) : figures[what]
    return [[{ lane: MAIN_LANE }, value]]
  }
}

function counts({ totals }: RoomStats): Sample[] {
  const kinds = Object.entries(totals).filter(([kind]) => kind !== 'admitted' && !kind.includes('/'))
  return kinds.map(([kind, value]) => [{ kind }, value])
}

function verdicts({ verdicts }: RoomStats): Sample[] {
  return Object.entries(verdicts).map(([cell, value]) => {
    const [verdict = '', why = ''] = cell.split('/')
    return [{ verdict, why }, value]
  })
}

function limitDecisions({ limits }: RoomStats): Sample[] {
  return Object.entries(limits).flatMap(([policy, { near: _, ...decisions }]) =>
    Object.entries(decisions).map(([decision, value]): Sample => [{ policy, decision }, value]),
  )
}

function nearLimits({ limits }: RoomStats): Sample[] {
  return Object.entries(limits).map(([policy, { near }]) => [{ policy }, near])
}

function byUpstream(what: 'samples' | 'apdex' | 'failures') {
  return ({ health }: RoomStats): Sample[] =>
    health.upstreams.map(upstream => [{ upstream: upstream.name }, upstream[what]])
}

function breakers({ health }: RoomStats): Sample[] {
  return health.upstreams.flatMap(({ name, breaker }) =>
    BREAKER_STATES.map((state): Sample => [{ upstream: name, state }, state === breaker]),
  )
}

function healthStates({ health }: RoomStats): Sample[] {
  return (['well', 'slowed', 'down'] as const).map((state): Sample => [{ state }, state === health.state])
}

function latencies({ health }: RoomStats): Sample[] {
  return health.upstreams.flatMap(({ name, p50Ms, p95Ms }): Sample[] => [
    [{ upstream: name, quantile: '0.5' }, seconds(p50Ms)],
    [{ upstream: name, quantile: '0.95' }, seconds(p95Ms)],
  ])
}

function doorCalls({ doors }: RoomStats): Sample[] {
  return doors.map(({ name, callsPerSecond }) => [{ door: name }, callsPerSecond])
}

function silences({ doors }: RoomStats): Sample[] {
  return doors.map(({ name, heardMsAgo }) => [{ door: name }, seconds(heardMsAgo)])
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000
}

function heading(name: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`]
}

function linesOf(name: string, room: string, value: Value | readonly Sample[]): string[] {
  const samples: readonly Sample[] = typeof value === 'object' && value !== null ? value : [[{}, value]]
  return samples.flatMap(([labels, value]) => (value === null ? [] : [line(name, { room, ...labels }, value)]))
}

function line(name: string, labels: Labels, value: number | boolean): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${Number(value)}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
