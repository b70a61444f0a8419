/**
 * The rooms' stats for Prometheus, in its text format 0.0.4. Names and units follow its conventions: base units, and
 * `_total` for values that only grow.
 */

import { admittedInMain } from '../core/permits/lanes.ts'
import type { RoomStats } from '../core/protocol/calls.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { VERSION } from './version.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The current stats of a room, or null if it does not answer. */
export interface Measured {
  readonly room: string
  readonly figures: RoomStats | null
  readonly events?: readonly { readonly name: string; readonly state: string }[]
  /** `enforce`, `observe` or `suspended`. */
  readonly mode?: string
}

type Labels = Readonly<Record<string, string>>
type Value = number | boolean | null
type Sample = readonly [labels: Labels, value: Value]
/** A metric of rooms: one value for a room, or several with labels. A null value is left out. */
type Family = readonly [
  name: string,
  help: string,
  of: (figures: RoomStats, room: Measured) => Value | readonly Sample[],
]

const MODES = ['enforce', 'observe', 'suspended'] as const
const EVENT_STATES = ['suspended', 'upcoming', 'prequeueing', 'active', 'over'] as const
const BREAKER_STATES = ['closed', 'half-open', 'open'] as const

const FAMILIES: readonly Family[] = [
  ['active_sessions', 'Visitors inside', figures => figures.active],
  ['places', 'Places in force, after events and health', figures => figures.totalActiveUsers],
  ['permits_out', 'Permits that doors have not spent yet', figures => figures.permitsOut],
  ['permits_banked', 'Permits that could be given at once', figures => figures.permitsBanked],
  ['rate_per_minute', 'Admissions a minute in force, after events and health', rate => rate.effectiveRatePerMinute],
  ['remaining', 'The rest of the budget; absent without one', figures => figures.remaining],
  ['open', 'Whether visitors come in without waiting', figures => figures.open],
  ['held', 'Whether no visitor is let in', figures => figures.held],
  ['waiting_visitors', 'Visitors in line', byLane('waiting')],
  ['standing_visitors', 'Visitors who are called and wait only for a permit', byLane('standing')],
  ['wait_seconds', 'The wait of a newcomer; absent while it is not known', waits],
  ['draw_entries', 'Visitors who wait for a draw', figures => figures.entries],
  ['admitted_total', 'Visitors let in', byLane('admitted')],
  ['abandoned_total', 'Places given up, and turns that were missed', abandoned],
  ['mode', 'The mode of the room: 1 for the present one', modes],
  ['event_state', 'The state of an event: 1 for the present state', events],
  ['counted_total', 'Counts of edges and doors, by kind', counts],
  ['verdicts_total', 'Decisions of the gate, without requests of live sessions', verdicts],
  ['answers_total', "Answers that are not the origin's, by state", answers],
  ['limit_decisions_total', 'Requests by the outcome of a rate limit', limitDecisions],
  ['limit_near_total', 'Leases lent with at least 80 % of the burst in use', nearLimits],
  [
    'health_ceiling_sessions',
    'Sessions that the origin can bear; absent while unknown',
    ({ health }) => health.ceiling,
  ],
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
  ['door_silent_seconds', 'The time since the last report of a door', silences],
]

/** Every metric that a room may have. */
export const METRIC_NAMES: readonly string[] = [
  'antesala_build_info',
  'antesala_room_up',
  ...FAMILIES.map(([name]) => `antesala_${name}`),
]

export function exposition(rooms: readonly Measured[]): string {
  const up = rooms.map(({ room, figures }) => line('antesala_room_up', { room }, figures !== null))
  const lines = [
    ...heading('antesala_build_info', 'The version of the program; always 1'),
    line('antesala_build_info', { version: VERSION }, true),
    ...heading('antesala_room_up', 'Whether the room answers'),
    ...up,
  ]
  for (const [short, help, of] of FAMILIES) {
    const name = `antesala_${short}`
    const samples = rooms.flatMap(one => (one.figures ? linesOf(name, one.room, of(one.figures, one)) : []))
    if (samples.length > 0) lines.push(...heading(name, help), ...samples)
  }
  return `${lines.join('\n')}\n`
}

/**
 * A room without lanes has only the main line. Admissions through a lane that was removed do not count for the main
 * line.
 */
function byLane(what: 'waiting' | 'standing' | 'admitted') {
  return (figures: RoomStats): Sample[] => {
    if (figures.lanes.length > 0) return figures.lanes.map(lane => [{ lane: lane.name }, lane[what]])
    const value = what === 'admitted' ? admittedInMain(figures.totals) : figures[what]
    return [[{ lane: MAIN_LANE }, value]]
  }
}

/**
 * Returns the range of waits that visitors are shown. A quarter of the visitors wait for less than its low end, and a
 * quarter for more than its high end.
 */
function waits({ waitMs, waitRangeMs }: RoomStats): Sample[] {
  return [
    [{ quantile: '0.25' }, seconds(waitRangeMs?.low ?? null)],
    [{ quantile: '0.5' }, seconds(waitMs)],
    [{ quantile: '0.75' }, seconds(waitRangeMs?.high ?? null)],
  ]
}

function abandoned({ totals }: RoomStats): Sample[] {
  return (['left', 'missed'] as const).map((how): Sample => [{ how }, totals[how] ?? 0])
}

function modes(_: RoomStats, { mode }: Measured): Sample[] {
  return MODES.map((name): Sample => [{ mode: name }, mode === undefined ? null : mode === name])
}

function events(_: RoomStats, { events = [] }: Measured): Sample[] {
  return events.flatMap(({ name, state }) =>
    EVENT_STATES.map((one): Sample => [{ event: name, state: one }, one === state]),
  )
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

function answers({ answers }: RoomStats): Sample[] {
  return Object.entries(answers).map(([cell, value]) => {
    const [state = '', why = ''] = cell.split('/')
    return [{ state, why }, value]
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
