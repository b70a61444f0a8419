/**
 * The room's half of the protocol: it applies what doors report, moves the frontier with the clock, and grants permits.
 *
 * The caller owns the clock and the storage: everything changed by `sync` must be durable before its reply leaves.
 */
import { BUCKET_MS, chunkOf } from './arrivals.ts'
import { type Draws, follow, newDraws, openKey, settledKey } from './batches.ts'
import { enter } from './event-draws.ts'
import {
  callableKey,
  type Events,
  eventsView,
  followEvents,
  knownKey,
  newEvents,
  type ScheduledEvent,
} from './events.ts'
import { comingIn, showRate, supplyOf } from './frontier.ts'
import { allot, divide, type LaneShare, newTurns, servedIn, shareOf, type Turns, take } from './lanes.ts'
import {
  beginAnew,
  callAlong,
  callEverybody,
  callNext,
  closeAt,
  confirm,
  countAlso,
  type LaneView,
  type Line,
  newLine,
  viewOf,
  waiting,
} from './line.ts'
import type { Demand, DoorReport, View } from './messages.ts'
import { followPace, newPace, type Pace, slowedAt } from './pace.ts'
import {
  type Bank,
  burstOf,
  type DoorAccount,
  fill,
  grantable,
  grantedIn,
  type Limits,
  newAccount,
  outIn,
  outOf,
  settle,
} from './permits.ts'
import { forgetLongRun } from './speed.ts'
import { type Applied, type Cells, fresh } from './tally.ts'
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
/** A ticket of a lane that was taken away lives no longer than this after its last poll. */
const REMOVED_FOR_MS = 25 * 60 * 60_000
/** A lane may claim what it left to others for this long: who stands there is heard of once a second. */
const SLACK_SECONDS = 10
const SLACK_MIN = 5
const NO_LANES: readonly LaneShare[] = []

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
  /** Chunks of the histograms that have changed since they were last handed out to be stored, by lane. */
  readonly dirty: Map<string, Set<number>>
  /** Whose turn it is where lanes share the permits. */
  readonly turns: Turns
  readonly draws: Draws
  readonly events: Events
  /** The budget of `remaining`, null for none, and what of it is spent. */
  readonly stock: { set: number | null; spent: number }
  readonly totals: Totals
  readonly pace: Pace
  /** 0 for a room that nobody has come to yet. */
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
  /** The event that is on, or the next one; null or absent where none is scheduled. */
  readonly event?: ScheduledEvent | null
  /** So many more may come in since this was set; null or absent for no budget. */
  readonly remaining?: number | null
  /** Lanes beside the main one, with their shares of the permits; absent or empty for none. */
  readonly lanes?: readonly LaneShare[]
}

export type SyncOutcome =
  /** A report that is older than what was applied: nothing changed, nothing is owed. */
  | { readonly kind: 'stale' }
  /** The same report again: the stored answer stands. */
  | { readonly kind: 'repeated'; readonly granted: number; readonly lanes?: Readonly<Record<string, number>> }
  | {
      readonly kind: 'applied'
      readonly granted: number
      /** Of `granted`, what is meant for lanes beside the main one; absent where nothing is. */
      readonly lanes?: Readonly<Record<string, number>>
      /** Chunks of the histogram that must be stored, by lane. */
      readonly dirty: ReadonlyMap<string, ReadonlySet<number>>
      /** What edges say of the origin: cells of `core/health/samples.ts`. */
      readonly health: Cells
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
    dirty: new Map(),
    turns: newTurns(),
    draws: newDraws(),
    events: newEvents(),
    stock: { set: null, spent: 0 },
    totals: {},
    pace: newPace(),
    tickedAtMs: 0,
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
    if (report.seq === door.seq) return { kind: 'repeated', ...grantsOf(door) }
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
  fold(room, added ?? {}, nowMs)
  tick(room, rules, nowMs)
  if (grant(room, door, rules, nowMs) === 'short' && room.open) close(room, report.demand, rules, nowMs)
  return {
    kind: 'applied',
    ...grantsOf(door),
    dirty: takeDirty(room),
    health: healthIn(added ?? {}),
    poke: silentDoors(room, report.door, nowMs),
  }
}

/** Chunks of the histograms that are to be stored now. */
export function takeDirty(room: RoomState): ReadonlyMap<string, ReadonlySet<number>> {
  const dirty = new Map(room.dirty)
  room.dirty.clear()
  return dirty
}

function grantsOf(door: Door): { granted: number; lanes?: Record<string, number> } {
  const lanes = grantedIn(door)
  return lanes ? { granted: door.granted, lanes } : { granted: door.granted }
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

/** Fills the bank up to a moment at which the limits change, by those that were in force before. */
export function fillUpTo(room: RoomState, rules: RoomRules, turnMs: number): void {
  fill(room.bank, sums(room).out, rules, turnMs)
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

/** Those of them who are served under the share of one lane. */
export function standingIn(room: RoomState, rules: RoomRules, lane: string, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += standingByLane(door, rules, nowMs).get(lane) ?? 0
  return people
}

/** Everybody with a counted place, over all lanes. Who stands in one that was taken away is counted in the main one. */
export function waitingTotal(room: RoomState): number {
  let people = 0
  for (const line of room.lines.values()) if (!line.state.removedAtMs) people += waiting(line)
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
  followLanes(room, rules.lanes ?? NO_LANES, nowMs)
  const frontierKey = Math.max(...[...room.lines.values()].map(line => line.state.frontierKey))
  follow(room.draws, rules.shuffleMs ?? null, frontierKey, nowMs)
  const before = room.events.hold
  followEvents(
    room.events,
    rules.event ?? null,
    { untilKey: room.draws.untilKey, seenMs: room.tickedAtMs, frontierKey },
    nowMs,
  )
  const { hold } = room.events
  if (before?.phase !== hold?.phase) room.view = null
  if (before && !hold) for (const line of room.lines.values()) beginAnew(line, nowMs)
  if (hold && room.open) closeForStart(room, rules, nowMs)
}

/** Who came before the prequeue of an open room is called, and from there on everybody waits for the start. */
function closeForStart(room: RoomState, rules: RoomRules, nowMs: number): void {
  const key = callableKey(room.events, openKey(room.draws, nowMs))
  for (const line of room.lines.values()) callEverybody(line, key, rules.claimWindowMs, nowMs)
  room.open = false
  room.emptySinceMs = null
  for (const door of room.doors.values()) door.demand = []
}

/** A new lane has a line of its own from now on. One that was taken away keeps its line as long as tickets of it may come. */
function followLanes(room: RoomState, lanes: readonly LaneShare[], nowMs: number): void {
  for (const { name } of lanes) if (!room.lines.has(name)) room.lines.set(name, newLine(nowMs))
  if (room.lines.size === 1) return
  for (const [lane, line] of room.lines) {
    const { state } = line
    if (lane === MAIN_LANE) continue
    if (servedIn(lanes, lane) === lane) state.removedAtMs = null
    else if (!state.removedAtMs) remove(room, line, nowMs)
    if (state.removedAtMs && nowMs - state.removedAtMs > REMOVED_FOR_MS) {
      room.lines.delete(lane)
      delete room.turns.of[lane]
    }
  }
}

function remove(room: RoomState, line: Line, nowMs: number): void {
  line.state.removedAtMs = nowMs
  const main = room.lines.get(MAIN_LANE)
  if (main) for (const chunk of countAlso(line, main)) isDirty(room, MAIN_LANE, chunk)
}

function isDirty(room: RoomState, lane: string, chunk: number): void {
  const chunks = room.dirty.get(lane)
  if (chunks) chunks.add(chunk)
  else room.dirty.set(lane, new Set([chunk]))
}

function callAll(room: RoomState, rules: RoomRules, nowMs: number): void {
  const key = openKey(room.draws, nowMs)
  for (const line of room.lines.values()) callEverybody(line, key, rules.claimWindowMs, nowMs)
}

function count(room: RoomState, name: string, by: number): void {
  if (by > 0) room.totals[name] = (room.totals[name] ?? 0) + by
}

/** Cells are `line/<lane>/<bucket>` for confirmed tickets, `entry/<draw>`, `shown/<lane>`, samples of the origin's health, or the name of a total. */
function fold(room: RoomState, cells: Readonly<Record<string, number>>, nowMs: number): void {
  for (const [cell, by] of Object.entries(cells)) {
    const [kind, lane = '', bucketText = ''] = cell.split('/')
    const line = room.lines.get(lane)
    if (kind === 'line' && line) {
      const bucket = Number(bucketText)
      const endKey = (bucket + 1) * BUCKET_MS
      if (!Number.isSafeInteger(bucket) || endKey > Math.max(nowMs, room.draws.untilKey) + FUTURE_MS) continue
      confirm(line, bucket, endKey, by)
      isDirty(room, lane, chunkOf(bucket))
      if (line.state.removedAtMs) countInMain(room, bucket, endKey, by)
      count(room, 'confirmed', by)
    } else if (kind === 'health') continue
    else if (kind === 'entry') enter(room.events, Number(lane), by)
    else if (kind === 'shown') room.shown.set(lane, (room.shown.get(lane) ?? 0) + by)
    else count(room, cell, by)
  }
}

/** A ticket of a lane that was taken away counts in the main one, beside its own, which may come back. */
function countInMain(room: RoomState, bucket: number, endKey: number, by: number): void {
  const main = room.lines.get(MAIN_LANE)
  if (!main) return
  confirm(main, bucket, endKey, by)
  isDirty(room, MAIN_LANE, chunkOf(bucket))
}

function healthIn(cells: Cells): Cells {
  return Object.fromEntries(Object.entries(cells).filter(([cell]) => cell.startsWith('health/')))
}

function callLines(room: RoomState, rules: RoomRules, nowMs: number): void {
  if (rules.ratePerMinute <= 0) return room.shown.clear()
  const { live, out } = sums(room)
  const permits = out + available(room, rules)
  // Permits in reach are part of the budget: only the rest of it is still to come.
  const stock = (left(room) ?? Number.POSITIVE_INFINITY) - permits
  const places = Math.max(0, Math.min(rules.totalActiveUsers - live - out, stock))
  const whole = {
    standing: 0,
    permits,
    places,
    permitsPerSecond: rules.ratePerMinute / 60,
    departuresPerSecond: room.departuresPerSecond,
    shown: 0,
  }
  const parts = room.lines.size > 1 ? expectations(room, rules, supplyOf(whole), nowMs) : null
  for (const [lane, line] of room.lines) {
    if (line.state.removedAtMs) continue
    const part = parts?.get(lane) ?? 1
    const load = {
      standing: standingIn(room, rules, lane, nowMs),
      permits: whole.permits * part,
      places: whole.places * part,
      permitsPerSecond: whole.permitsPerSecond * part,
      departuresPerSecond: whole.departuresPerSecond * part,
      shown: room.shown.get(lane) ?? 0,
    }
    const untilKey = callableKey(room.events, settledKey(room.draws, nowMs))
    callNext(line, load, untilKey, rules.claimWindowMs, nowMs)
  }
  const main = room.lines.get(MAIN_LANE)
  for (const line of room.lines.values()) {
    if (main && line.state.removedAtMs) callAlong(line, main, rules.claimWindowMs, nowMs)
  }
  room.shown.clear()
}

/** The part of all permits to come that each lane with anybody in it can reckon with, by its share and its people. */
function expectations(room: RoomState, rules: RoomRules, supply: number, nowMs: number): ReadonlyMap<string, number> {
  const lanes = rules.lanes ?? NO_LANES
  const wanted = new Map<string, number>()
  for (const [lane, line] of room.lines) {
    const { control, removedAtMs } = line.state
    if (removedAtMs) continue
    const people = comingIn(control, standingIn(room, rules, lane, nowMs)) + waiting(line) * showRate(control)
    wanted.set(lane, people)
  }
  const parts = divide(supply, lanes, wanted)
  let left = supply
  for (const part of parts.values()) left -= part
  // What nobody wants yet is for whoever comes next, in any lane.
  const partOf = (lane: string) => ((parts.get(lane) ?? 0) + left * shareOf(lanes, lane)) / supply
  return new Map([...room.lines.keys()].map(lane => [lane, supply > 0 ? partOf(lane) : 0]))
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
  // Before a start nobody is called, and just after it not everybody who waited has been counted.
  const empty =
    room.events.hold === null && standing(room, nowMs) === 0 && waitingTotal(room) < 1 && available(room, rules) >= 1
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
 * Grants this door what it needs: lanes by their shares, and in each lane its standing visitors first, in proportion when there is
 * not enough for all doors, the one with the oldest visitor rounded up; then, in an open room, what newcomers will need until its
 * next sync.
 */
function grant(room: RoomState, door: Door, rules: RoomRules, nowMs: number): 'enough' | 'short' {
  const lanes = rules.lanes ?? NO_LANES
  const most = available(room, rules)
  const own = needs(door, rules, nowMs)
  const everybody = new Map(own)
  for (const other of room.doors.values()) {
    if (other === door) continue
    for (const [lane, need] of needs(other, rules, nowMs)) everybody.set(lane, (everybody.get(lane) ?? 0) + need)
  }
  const slack = Math.max(SLACK_MIN, (rules.ratePerMinute / 60) * SLACK_SECONDS)
  const allotted = allot(room.turns, lanes, everybody, most, slack)
  const given = new Map<string, number>()
  let granted = 0
  let needed = 0
  for (const [lane, need] of own) {
    const all = everybody.get(lane) ?? 0
    const part = allotted.get(lane) ?? 0
    const share = all <= part ? need : (part * need) / all
    const lot = Math.min(need, isOldest(room, door, rules, lane, nowMs) ? Math.ceil(share) : Math.floor(share))
    given.set(lane, lot)
    granted += lot
    needed += need
  }
  if (lanes.length > 0) {
    take(room.turns, lanes, everybody, given, slack)
    noteLanes(door, given)
  }
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

function noteLanes(door: Door, given: ReadonlyMap<string, number>): void {
  for (const [lane, lot] of given) {
    if (lane === MAIN_LANE || lot === 0) continue
    door.lanes ??= {}
    door.lanes[lane] ??= { granted: 0, gone: 0 }
    door.lanes[lane].granted += lot
  }
}

/** Permits a door lacks for the visitors who stand there, by lane. What one lane has too many of serves the others. */
function needs(door: Door, rules: RoomRules, nowMs: number): Map<string, number> {
  const lacking = new Map<string, number>()
  const standing = standingByLane(door, rules, nowMs)
  let spare = outOf(door)
  for (const [lane, people] of standing) {
    const out = outIn(door, lane)
    spare -= Math.min(out, people)
    if (people > out) lacking.set(lane, people - out)
  }
  for (const [lane, need] of lacking) {
    const covered = Math.min(need, Math.max(0, spare))
    spare -= covered
    lacking.set(lane, need - covered)
  }
  return lacking
}

function standingAt(door: Door, nowMs: number): number {
  if (nowMs - door.heardAtMs > DEMAND_FOR_MS) return 0
  return door.demand.reduce((sum, demand) => sum + demand.standing, 0)
}

/** Who stands at a door, by the lane under whose share they are served. */
function standingByLane(door: Door, { lanes = NO_LANES }: RoomRules, nowMs: number): Map<string, number> {
  const people = new Map<string, number>()
  if (nowMs - door.heardAtMs > DEMAND_FOR_MS) return people
  for (const { lane, standing } of door.demand) {
    const served = servedIn(lanes, lane)
    people.set(served, (people.get(served) ?? 0) + standing)
  }
  return people
}

/** Whether nobody of a lane who needs a permit has stood by longer than this door's. */
function isOldest(room: RoomState, door: Door, rules: RoomRules, lane: string, nowMs: number): boolean {
  const oldest = oldestKeyAt(door, rules, lane)
  for (const other of room.doors.values()) {
    if (other === door || oldestKeyAt(other, rules, lane) >= oldest) continue
    if ((needs(other, rules, nowMs).get(lane) ?? 0) > 0) return false
  }
  return true
}

function oldestKeyAt(door: Door, { lanes = NO_LANES }: RoomRules, lane: string): number {
  let oldest = Number.POSITIVE_INFINITY
  for (const demand of door.demand) {
    if (servedIn(lanes, demand.lane) === lane) oldest = Math.min(oldest, demand.oldestKey)
  }
  return oldest
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
    settledKey: knownKey(room.events, settledKey(room.draws, nowMs)),
    events: eventsView(room.events, nowMs),
    lanes: Object.fromEntries([...room.lines].map(([lane, line]) => [lane, laneView(room, rules, lane, line, nowMs)])),
  }
}

function laneView(room: RoomState, rules: RoomRules, lane: string, line: Line, nowMs: number): LaneView {
  const lanes = rules.lanes ?? NO_LANES
  if (room.lines.size === 1) return viewOf(line, standing(room, nowMs))
  const served = servedIn(lanes, lane)
  const beside = lane === MAIN_LANE ? 0 : room.lines.size - 1
  const view = viewOf(line, served === lane ? standingIn(room, rules, lane, nowMs) : 0, beside)
  return { ...view, share: shareOf(lanes, served), merged: served !== lane }
}

/** The most permits that may be banked or out, for operators to see beside the figures. */
export function burst(rules: RoomRules): number {
  return burstOf(rules.ratePerMinute)
}
