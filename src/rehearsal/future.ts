/**
 * Plays a future of a room. The room and its door are those of `core`: the line, the permits, the grants, and the
 * claims. Only people are simpler than in production: they come and stay as `Crowd` and `Stays` let them. One door
 * stands for all doors and all edges, and time moves in steps of one second.
 */
import * as doorHalf from '../core/door/door.ts'
import { noteReady } from '../core/door/ready.ts'
import { arrivalBucketOf } from '../core/line/arrivals.ts'
import { SETTLED_AFTER_MS } from '../core/line/batches.ts'
import type { Line } from '../core/line/line.ts'
import type { Claim } from '../core/protocol/messages.ts'
import * as roomHalf from '../core/room/room.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { MINUTE_MS } from '../core/timing.ts'
import { calledLately, DOOR, roomAt } from './beginning.ts'
import { Crowd } from './crowd.ts'
import { type DrawnMoment, type Future, type Plan, STEP_MS, type Start, type Turn } from './plan.ts'
import { Stays } from './stays.ts'

const CLAIM_WINDOW_MS = 5 * MINUTE_MS
/** Fewer waiting people than this are no line. */
const NO_LINE = 1

/**
 * Returns a future of `steps` steps, with about `moments` points for a chart. `freshWeight` is the weight of newcomers
 * whose places are not settled. The weight is below 1 if a step stands for more than a second.
 */
export function play(
  start: Start,
  plan: Plan,
  { steps, moments, freshWeight }: { readonly steps: number; readonly moments: number; readonly freshWeight: number },
): Future {
  const world = new Played(start, plan, { steps, freshWeight })
  const every = Math.max(1, Math.ceil(steps / moments))
  const drawn: Omit<DrawnMoment, 'waitMs'>[] = [world.now]
  let emptyAtMs: number | null = null
  let lineUntilMs: number | null = null
  let soldOutAtMs: number | null = null
  let { inside: mostInside, waiting: mostWaiting } = world.now
  for (let step = 1; step <= steps; step++) {
    world.step()
    const { atMs, waiting, inside } = world.now
    mostInside = Math.max(mostInside, inside)
    mostWaiting = Math.max(mostWaiting, waiting)
    if (world.hasLine) lineUntilMs = atMs
    else if (lineUntilMs !== null && emptyAtMs === null) emptyAtMs = atMs
    if (soldOutAtMs === null && world.isSoldOut) soldOutAtMs = atMs
    if (step % every === 0 || step === steps) drawn.push(world.now)
  }
  return { moments: withWaits(drawn, world.admittedKeys), emptyAtMs, lineUntilMs, mostInside, mostWaiting, soldOutAtMs }
}

class Played {
  /** For each step, the key up to which visitors have been admitted. */
  readonly admittedKeys: number[] = []
  readonly #plan: Plan
  readonly #showRate: number
  readonly #freshWeight: number
  readonly #room: roomHalf.RoomState
  readonly #door: doorHalf.DoorState
  readonly #sessions: doorHalf.DoorSessions & { readonly store: Stays }
  readonly #crowd: Crowd
  readonly #remaining: number | null
  #nowMs: number
  #turn: Turn
  #admittedKey = Number.NEGATIVE_INFINITY

  constructor(start: Start, plan: Plan, { steps, freshWeight }: { steps: number; freshWeight: number }) {
    const { nowMs, showRate } = start
    this.#plan = plan
    this.#turn = plan.turns[0] as Turn
    this.#showRate = showRate
    this.#freshWeight = freshWeight
    this.#remaining = start.remaining
    this.#nowMs = nowMs
    this.#room = roomAt(start, this.#turn)
    this.#door = doorHalf.newDoor(DOOR, 1, nowMs)
    const store = new Stays(nowMs, { steps, stepMs: STEP_MS, stayMs: this.#turn.stayMs })
    store.begin(start.inside, start.came)
    const { stayMs: sessionMs } = this.#turn
    this.#sessions = {
      store,
      rules: { sessionMs, renewal: false, sessionMaxMs: null, reentryGraceMs: 0, claimWindowMs: CLAIM_WINDOW_MS },
    }
    this.#crowd = new Crowd(plan.streams, STEP_MS)
    const { frontierKey } = this.#line.state
    if (!start.open) this.#crowd.begin(calledLately(start), showRate, frontierKey)
    const ready = Array.from({ length: start.ready }, () => this.#crowd.newClaim(frontierKey))
    this.#callWhile(() => {
      roomHalf.tick(this.#room, this.#rules, nowMs)
      this.#door.snapshot = this.#room.snapshot
      for (const claim of ready) noteReady(this.#door, claim, nowMs)
      this.#claim(ready)
    })
  }

  get now(): Omit<DrawnMoment, 'waitMs'> {
    const { totals } = this.#room
    const { ratePerMinute, totalActiveUsers } = this.#turn
    return {
      atMs: this.#nowMs,
      waiting: this.#settled + this.#fresh * this.#freshWeight,
      inside: this.#sessions.store.live(this.#nowMs),
      admitted: totals.admitted ?? 0,
      ratePerMinute,
      totalActiveUsers,
    }
  }

  get hasLine(): boolean {
    return this.#settled >= NO_LINE
  }

  get isSoldOut(): boolean {
    return roomHalf.left(this.#room) === 0
  }

  step(): void {
    this.#nowMs += STEP_MS
    this.#followPlan()
    this.#callWhile(() => this.#claim(this.#nextClaims()))
    const isEmpty = this.#room.open || (!this.hasLine && this.#door.ready.size === 0)
    this.admittedKeys.push(isEmpty ? this.#nowMs : this.#admittedKey)
  }

  get #line() {
    return this.#room.lines.get(MAIN_LANE) as Line
  }

  /** The people in line. Newcomers whose places are not settled yet are not among them: they are on their way in. */
  get #settled(): number {
    return roomHalf.waitingTotal(this.#room) - this.#fresh
  }

  get #fresh(): number {
    return this.#line.arrivals.after(this.#nowMs - SETTLED_AFTER_MS)
  }

  get #rules(): roomHalf.RoomRules {
    const { ratePerMinute, totalActiveUsers } = this.#turn
    const { event } = this.#plan
    return { ratePerMinute, totalActiveUsers, claimWindowMs: CLAIM_WINDOW_MS, remaining: this.#remaining, event }
  }

  /** Runs `act`. The people whom it calls turn up in the next steps. */
  #callWhile(act: () => void): void {
    const before = { called: this.#room.totals.called ?? 0, key: this.#line.state.frontierKey }
    act()
    const called = (this.#room.totals.called ?? 0) - before.called
    this.#crowd.call(called, this.#showRate, [before.key, this.#line.state.frontierKey])
  }

  #followPlan(): void {
    const turn = this.#plan.turns.findLast(({ fromMs }) => fromMs <= this.#nowMs) ?? this.#turn
    if (turn === this.#turn) return
    // The old limits apply up to now, as when an operator changes them.
    roomHalf.tick(this.#room, this.#rules, this.#nowMs)
    this.#turn = turn
    this.#sessions.store.stayMs = turn.stayMs
  }

  /** Lets the door decide claims. Before the door refuses a visitor, it must report to the room. */
  #claim(claims: readonly Claim[]): void {
    const undecided = claims.filter(claim => this.#decide(claim, 'new') === 'undecided')
    this.#sync()
    for (const claim of undecided) this.#decide(claim, 'last')
  }

  /** Returns the claims of called visitors, and of newcomers while the room is open. Other newcomers stand in line. */
  #nextClaims(): Claim[] {
    const due = this.#crowd.takeDue()
    const keys = this.#crowd.arriveUntil(this.#nowMs)
    if (this.#door.snapshot?.open) due.push(...keys.map(key => this.#crowd.newClaim(key)))
    else for (const key of keys) this.#takePlace(key)
    return due
  }

  #decide(request: Claim, attempt: doorHalf.Attempt): 'undecided' | 'decided' {
    const { verdict } = doorHalf.decideClaim(this.#door, this.#sessions, { request, attempt }, this.#nowMs)
    if (verdict === 'undecided') return 'undecided'
    if (verdict === 'admitted') this.#admittedKey = Math.max(this.#admittedKey, request.key)
    if (verdict === 'none') {
      const { snapshot } = this.#door
      const isCalled = !snapshot || snapshot.open || request.key <= this.#line.state.frontierKey
      if (isCalled) this.#crowd.askAgain(request)
      else this.#takePlace(request.key)
    }
    return 'decided'
  }

  /** Counts a visitor in line, as an edge reports it. */
  #takePlace(key: number): void {
    this.#door.tally.add(`line/${MAIN_LANE}/${arrivalBucketOf(key)}`)
  }

  #sync(): void {
    const [room, door] = [this.#room, this.#door]
    doorHalf.allowAsking(door)
    const report = doorHalf.report(door, this.#sessions.store.live(this.#nowMs), '', this.#nowMs)
    const outcome = roomHalf.sync(room, report, this.#rules, this.#nowMs)
    const { snapshot } = room
    if (outcome.kind === 'stale' || !snapshot) return
    const { epoch, seq } = report
    doorHalf.applyReply(door, { epoch, seq, granted: outcome.granted, snapshot }, this.#nowMs)
    const { arrivals, state } = this.#line
    arrivals.pruneBefore(state.frontierKey)
  }
}

/**
 * Adds to each moment the wait of a visitor who comes then. The wait ends when a visitor with this key or a later one
 * is in.
 */
function withWaits(moments: readonly Omit<DrawnMoment, 'waitMs'>[], admittedKeys: readonly number[]): DrawnMoment[] {
  const startMs = moments[0]?.atMs ?? 0
  let step = 0
  return moments.map(moment => {
    const { atMs } = moment
    const endOf = (nth: number) => startMs + (nth + 1) * STEP_MS
    while (step < admittedKeys.length && (endOf(step) < atMs || (admittedKeys[step] as number) < atMs)) step++
    if (step === admittedKeys.length) return { ...moment, waitMs: null }
    const tookMs = endOf(step) - atMs
    return { ...moment, waitMs: tookMs <= STEP_MS ? 0 : tookMs }
  })
}
