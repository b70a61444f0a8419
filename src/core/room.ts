/**
 * The room's half of the protocol: it applies what doors report, moves the frontier with the clock, and grants permits.
 *
 * The caller owns the clock and the storage: everything changed by `sync` must be durable before its reply leaves.
 */
import { BUCKET_MS, chunkOf } from './arrivals.ts'
import { type Draws, follow, newDraws, openKey, settledKey } from './batches.ts'
import { comingIn } from './frontier.ts'
import { callEverybody, callNext, closeAt, confirm, type Line, newLine, viewOf, waiting } from './line.ts'
import type { Demand, DoorReport, View } from './messages.ts'
import { followPace, newPace, type Pace, slowedAt } from './pace.ts'
import {
  type Bank,
  burstOf,
  type DoorAccount,
  fill,
  grantable,
  type Limits,
  newAccount,
  outOf,
  settle,
} from './permits.ts'
import { forgetLongRun } from './speed.ts'
import { type Applied, fresh } from './tally.ts'
import { MAIN_LANE } from './ticket.ts'

/** The frontier moves this often at most. */
const TICK_MS = 500
/** A door's demand is believed this long after it was reported. */
const DEMAND_FOR_MS = 3_000
/** A door that has held permits in silence for this long is asked to report. */
const SILENT_AFTER_MS = 6_000
/** A line that is empty this long makes the room open: refused newcomers have had the time to be counted. */
const OPENS_AFTER_MS = 4_000
/** Permits an open room grants ahead of demand cover a door until its next sync and a little more. */
const AHEAD_SECONDS = 2
/** Departures are smoothed over this. */
const DEPARTURES_HALF_LIFE_MS = 10_000
/** Tickets from the future of a skewed clock are believed this far. */
const FUTURE_MS = 60_000

export interface Door extends DoorAccount {
  demand: readonly Demand[]
  applied: Applied | undefined
}

/** Figures since the room began, for operators. */
export type Totals = Record<string, number>

export interface RoomState {
  readonly generation: number
  open: boolean
  /** Since when an open room could open again, null while somebody stands or waits. */
  emptySinceMs: number | null
  readonly bank: Bank
  readonly doors: Map<string, Door>
  readonly lines: Map<string, Line>
  readonly draws: Draws
  /** The budget of `remaining`, null for none, and what of it is spent. */
  readonly stock: { set: number | null; spent: number }
  readonly totals: Totals
  readonly pace: Pace
  tickedAtMs: number
  /** Called visitors seen since the last tick, per lane. */
  readonly shown: Map<string, number>
  /** Sessions ended per second, smoothed: in a full room that is how fast permits come. */
  departuresPerSecond: number
  departedSinceTick: number
  view: View | null
}

/** The settings the room's decisions need. */
export interface RoomRules extends Limits {
  readonly claimWindowMs: number
  /** Width of the batches of a random line; null or absent where places are given by arrival. */
  readonly shuffleMs?: number | null
  /** Newcomers who are refused do not wait: the room opens again as soon as it can. */
  readonly rejects?: boolean
  /** So many more may come in since this was set; null or absent for no budget. */
  readonly remaining?: number | null
}

export type SyncOutcome =
  /** A report that is older than what was applied: nothing changed, nothing is owed. */
  | { readonly kind: 'stale' }
  /** The same report again: the stored answer stands. */
  | { readonly kind: 'repeated'; readonly granted: number }
  | {
      readonly kind: 'applied'
      readonly granted: number
      /** Chunks of the histogram that must be stored, by lane. */
      readonly dirty: ReadonlyMap<string, ReadonlySet<number>>
      /** Doors that hold permits in silence. */
      readonly poke: readonly string[]
    }

export function newRoom(nowMs: number): RoomState {
  return {
    generation: nowMs,
    open: true,
    emptySinceMs: null,
    // Filled up to its burst by the first report: a new room lets the first visitors in at once.
    bank: { banked: 0, filledAtMs: 0 },
    doors: new Map(),
    lines: new Map([[MAIN_LANE, newLine(nowMs)]]),
    draws: newDraws(),
    stock: { set: null, spent: 0 },
    totals: {},
    pace: newPace(),
    tickedAtMs: nowMs,
    shown: new Map(),
    departuresPerSecond: 0,
    departedSinceTick: 0,
    view: null,
  }
}

export function sync(room: RoomState, report: DoorReport, rules: RoomRules, nowMs: number): SyncOutcome {
  const door = room.doors.get(report.door) ?? open(room, report.door, nowMs)
  if (report.epoch < door.epoch) return { kind: 'stale' }
  if (report.epoch === door.epoch) {
    if (report.seq < door.seq) return { kind: 'stale' }
    if (report.seq === door.seq) return { kind: 'repeated', granted: door.granted }
  } else door.applied = undefined
  followSettings(room, rules, nowMs)
  const added = fresh(door.applied, report)
  door.applied = { seq: report.seq, base: report.base, cells: report.cells }
  // Time first, by what was out until now: a permit that is out stops the fill it would have used.
  fill(room.bank, sums(room).out, rules, nowMs)
  const liveBefore = door.live
  // What a door's earlier life had in hand may have been spent unheard: the budget takes it for spent.
  const unheardOf = report.epoch > door.epoch ? outOf(door) : 0
  const spent = settle(room.bank, door, report, nowMs)
  room.stock.spent += spent + unheardOf
  // A door that has not heard of the closing yet reports newcomers: they are in line, not standing by.
  const unheard = report.open && !room.open
  door.demand = unheard ? [] : report.demand
  if (unheard) putInLine(room, report.demand)
  room.departedSinceTick += spent - (door.live - liveBefore)
  count(room, 'admitted', spent)
  const dirty = fold(room, added ?? {}, nowMs)
  tick(room, rules, nowMs)
  if (grant(room, door, rules, nowMs) === 'short' && room.open) close(room, report.demand, rules, nowMs)
  return { kind: 'applied', granted: door.granted, dirty, poke: silentDoors(room, report.door, nowMs) }
}

/** Lets time pass: fills the bank, moves the frontier, opens the room. Called by `sync`; harmless at any time. */
export function tick(room: RoomState, rules: RoomRules, nowMs: number): void {
  fill(room.bank, sums(room).out, rules, nowMs)
  followSettings(room, rules, nowMs)
  const tookMs = Math.max(0, nowMs - room.tickedAtMs)
  if (tookMs < TICK_MS && room.view) return
  measureDepartures(room, tookMs)
  if (room.open) callAll(room, rules, nowMs)
  else {
    callLines(room, rules, nowMs)
    openWhenEmpty(room, rules, nowMs)
  }
  room.tickedAtMs = Math.max(room.tickedAtMs, nowMs)
  room.view = makeView(room, rules, nowMs)
}

/** Begins a budget anew. Permits that are out count against it. */
export function restock(room: RoomState, remaining: number | null): void {
  Object.assign(room.stock, { set: remaining, spent: 0 })
}

/** How many more may come in by the budget, permits out included; null without one. */
export function left({ stock }: RoomState): number | null {
  return stock.set === null ? null : Math.max(0, stock.set - stock.spent)
}

/** Permits that can be granted now: what the rate, the places and the budget allow. */
export function available(room: RoomState, rules: RoomRules): number {
  const { live, out } = sums(room)
  return Math.max(0, Math.min(grantable(room.bank, live, out, rules), (left(room) ?? Number.POSITIVE_INFINITY) - out))
}

/** Live sessions and permits out, over all doors. */
export function sums(room: RoomState): { live: number; out: number } {
  let live = 0
  let out = 0
  for (const door of room.doors.values()) {
    live += door.live
    out += outOf(door)
  }
  return { live, out }
}

/** Called visitors standing by, over all doors heard of lately. */
export function standing(room: RoomState, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += standingAt(door, nowMs)
  return people
}

/** Everybody with a counted place, over all lanes. */
export function waitingTotal(room: RoomState): number {
  let people = 0
  for (const line of room.lines.values()) people += waiting(line)
  return people
}

function open(room: RoomState, name: string, nowMs: number): Door {
  const door: Door = { ...newAccount(nowMs), demand: [], applied: undefined }
  room.doors.set(name, door)
  return door
}

function followSettings(room: RoomState, rules: RoomRules, nowMs: number): void {
  const remaining = rules.remaining ?? null
  if (remaining !== room.stock.set) restock(room, remaining)
  const frontierKey = Math.max(...[...room.lines.values()].map(line => line.state.frontierKey))
  follow(room.draws, rules.shuffleMs ?? null, frontierKey, nowMs)
}

function callAll(room: RoomState, rules: RoomRules, nowMs: number): void {
  const key = openKey(room.draws, nowMs)
  for (const line of room.lines.values()) callEverybody(line, key, rules.claimWindowMs, nowMs)
}

function count(room: RoomState, name: string, by: number): void {
  if (by > 0) room.totals[name] = (room.totals[name] ?? 0) + by
}

/** Cells are `line/<lane>/<bucket>` for confirmed tickets, `shown/<lane>`, or the name of a total. */
function fold(room: RoomState, cells: Readonly<Record<string, number>>, nowMs: number): Map<string, Set<number>> {
  const dirty = new Map<string, Set<number>>()
  for (const [cell, by] of Object.entries(cells)) {
    const [kind, lane = '', bucketText = ''] = cell.split('/')
    const line = room.lines.get(lane)
    if (kind === 'line' && line) {
      const bucket = Number(bucketText)
      const endKey = (bucket + 1) * BUCKET_MS
      if (!Number.isSafeInteger(bucket) || endKey > Math.max(nowMs, room.draws.untilKey) + FUTURE_MS) continue
      confirm(line, bucket, endKey, by)
      dirty.set(lane, (dirty.get(lane) ?? new Set()).add(chunkOf(bucket)))
      count(room, 'confirmed', by)
    } else if (kind === 'shown') room.shown.set(lane, (room.shown.get(lane) ?? 0) + by)
    else count(room, cell, by)
  }
  return dirty
}

function callLines(room: RoomState, rules: RoomRules, nowMs: number): void {
  const { live, out } = sums(room)
  const permits = out + available(room, rules)
  // Permits in reach are part of the budget: only the rest of it is still to come.
  const stock = (left(room) ?? Number.POSITIVE_INFINITY) - permits
  const places = Math.max(0, Math.min(rules.totalActiveUsers - live - out, stock))
  for (const [lane, line] of room.lines) {
    const load = {
      standing: standing(room, nowMs),
      permits,
      places,
      permitsPerSecond: rules.ratePerMinute / 60,
      departuresPerSecond: room.departuresPerSecond,
      shown: room.shown.get(lane) ?? 0,
    }
    room.shown.delete(lane)
    if (rules.ratePerMinute > 0) callNext(line, load, settledKey(room.draws, nowMs), rules.claimWindowMs, nowMs)
  }
}

/** An open room closes when a claim is refused: everybody from the oldest refused visitor on is in line. */
function close(room: RoomState, demand: readonly Demand[], rules: RoomRules, nowMs: number): void {
  room.open = false
  room.emptySinceMs = null
  putInLine(room, demand)
  // Newcomers who were refused stand nowhere: they are in line like everybody else.
  for (const door of room.doors.values()) door.demand = []
  room.view = makeView(room, rules, nowMs)
}

/** Everybody from the oldest of those refused is in line. */
function putInLine(room: RoomState, refused: readonly Demand[]): void {
  for (const { lane, oldestKey } of refused) {
    const line = room.lines.get(lane)
    if (line) closeAt(line, oldestKey)
  }
}

function openWhenEmpty(room: RoomState, rules: RoomRules, nowMs: number): void {
  const empty = standing(room, nowMs) === 0 && waitingTotal(room) < 1 && available(room, rules) >= 1
  room.emptySinceMs = empty ? (room.emptySinceMs ?? nowMs) : null
  // Where nobody refused is in line, only those called from an old one may be on their way.
  const opensAfterMs = rules.rejects && comingTotal(room) < 1 ? 0 : OPENS_AFTER_MS
  if (room.emptySinceMs === null || nowMs - room.emptySinceMs < opensAfterMs) return
  room.open = true
  room.emptySinceMs = null
  callAll(room, rules, nowMs)
}

/** Called people who should come in yet. */
function comingTotal(room: RoomState): number {
  let people = 0
  for (const line of room.lines.values()) people += comingIn(line.state.control, 0)
  return people
}

/**
 * Grants this door what it needs: its standing visitors first, in proportion when there is not enough for all doors, the one
 * with the oldest visitor rounded up; then, in an open room, what newcomers will need until its next sync.
 */
function grant(room: RoomState, door: Door, rules: RoomRules, nowMs: number): 'enough' | 'short' {
  const most = available(room, rules)
  const needed = need(door, nowMs)
  let everybodyNeeds = 0
  let oldest = true
  for (const other of room.doors.values()) {
    const others = need(other, nowMs)
    everybodyNeeds += others
    if (others > 0 && oldestKeyAt(other) < oldestKeyAt(door)) oldest = false
  }
  const share = everybodyNeeds <= most ? needed : (most * needed) / everybodyNeeds
  let granted = Math.min(needed, oldest ? Math.ceil(share) : Math.floor(share))
  const enough = granted >= needed
  if (room.open) {
    const perSecond = door.demand.reduce((sum, demand) => sum + demand.perSecond, 0)
    const spare = Math.floor((most - granted) / (2 * room.doors.size))
    granted += Math.max(0, Math.min(spare, Math.ceil(perSecond * AHEAD_SECONDS) - outOf(door)))
  }
  door.granted += granted
  room.bank.banked -= granted
  return enough ? 'enough' : 'short'
}

/** Permits a door lacks for the visitors who stand there. */
function need(door: Door, nowMs: number): number {
  return Math.max(0, standingAt(door, nowMs) - outOf(door))
}

function standingAt(door: Door, nowMs: number): number {
  if (nowMs - door.heardAtMs > DEMAND_FOR_MS) return 0
  return door.demand.reduce((sum, demand) => sum + demand.standing, 0)
}

function oldestKeyAt(door: Door): number {
  return door.demand.reduce((oldest, demand) => Math.min(oldest, demand.oldestKey), Number.POSITIVE_INFINITY)
}

function silentDoors(room: RoomState, reporting: string, nowMs: number): string[] {
  const silent: string[] = []
  for (const [name, door] of room.doors) {
    if (name !== reporting && outOf(door) > 0 && nowMs - door.heardAtMs > SILENT_AFTER_MS) silent.push(name)
  }
  return silent
}

function measureDepartures(room: RoomState, tookMs: number): void {
  if (tookMs <= 0) return
  const decay = 0.5 ** (tookMs / DEPARTURES_HALF_LIFE_MS)
  const lately = Math.max(0, room.departedSinceTick) / (tookMs / 1_000)
  room.departuresPerSecond = room.departuresPerSecond * decay + lately * (1 - decay)
  room.departedSinceTick = 0
}

function makeView(room: RoomState, rules: RoomRules, nowMs: number): View {
  const { live, out } = sums(room)
  const soldOut = left(room) === 0
  const full = live + out >= rules.totalActiveUsers
  if (followPace(room.pace, rules, full, nowMs)) {
    for (const { state } of room.lines.values()) forgetLongRun(state.speed)
  }
  return {
    asOfMs: nowMs,
    generation: room.generation,
    open: room.open,
    held: rules.ratePerMinute <= 0 || soldOut,
    soldOut,
    full,
    slowed: slowedAt(room.pace, nowMs),
    ratePerSecond: rules.ratePerMinute / 60,
    batches: room.draws.batches,
    settledKey: settledKey(room.draws, nowMs),
    lanes: Object.fromEntries([...room.lines].map(([lane, line]) => [lane, viewOf(line, standing(room, nowMs))])),
  }
}

/** The most permits that may be banked or out, for operators to see beside the figures. */
export function burst(rules: RoomRules): number {
  return burstOf(rules.ratePerMinute)
}
