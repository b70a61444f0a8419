/**
 * What one isolate remembers of one room: the last view, verified tokens, leases, and refusals.
 *
 * All of it is bounded and may be lost at any time. A lease is the right to proxy a session's requests without asking;
 * a refusal is remembered so that nobody can make this isolate hammer a door.
 */
import {
  applyEdgeReply,
  type EdgeState,
  edgeReport,
  hasFailed,
  isCurrent,
  newEdge,
  noAnswer,
  VIEW_FOR_MS,
  wantsRenewal,
} from '../core/edge.ts'
import { type Quota, spend } from '../core/gcra.ts'
import { newShedder, type Shedder } from '../core/health/shedding.ts'
import type { Ask, Claim, ClaimAnswer, Touch, TouchAnswer, View } from '../core/messages.ts'
import type { DoorCalls } from '../core/rpc.ts'
import { doorOf } from '../core/ticket.ts'
import { compile, type RoomSettings } from '../settings/compiled.ts'
import { doorStub, type Env, regionOf } from '../settings/env.ts'
import type { RoomConfig } from '../settings/schema.ts'
import { type Invitation, isInForce, readInvitation } from '../tokens/invitations.ts'
import type { KeyRing } from '../tokens/keyring.ts'
import { isOf, readToken, type Token } from '../tokens/tokens.ts'
import { callerAt } from './caller.ts'
import { Limits } from './limits.ts'
import type { Lease, Memory } from './memory.ts'
import { Touches } from './touches.ts'
import type { CallCount } from './visit.ts'

/** The request on whose behalf an object is called. */
export interface Caller {
  readonly env: Env
  readonly continent: string | undefined
  readonly nowMs: number
  readonly calls: CallCount
  waitUntil(promise: Promise<unknown>): void
}

/** An object that has not answered by then is taken for unreachable. */
const CALL_TIMEOUT_MS = 3_000
/** An unreachable door is not called again for this long. */
const DOWN_FOR_MS = 1_000
/** Its multiples fill [0, 1) more evenly than random numbers do (Weyl), so that few of a burst share a bucket. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2
/** The share of a lease after which it is renewed in passing. */
const RENEWED_AT = 0.7
/** What a session owes is told within this, with what others owe. */
const SETTLED_AFTER_MS = 100
/** Idle leases are looked for this often, so many times after one was lent. */
const IDLE_AFTER_MS = 2_000
const IDLE_LOOKS = 5
/** Sessions watched for being idle. */
const WATCHED_MAX = 10_000
/** Without an answer for this long an isolate's counters may be forgotten: it begins a new id. */
const ISOLATE_SILENT_MS = 60_000

/** Whether a visitor comes with an invitation. */
export type Invited =
  | { readonly kind: 'none' }
  | { readonly kind: 'valid'; readonly invitation: Invitation }
  /** It says so, and is not one, or not now. */
  | { readonly kind: 'invalid' }

/** A door that could not be reached in time. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export class RoomAtEdge {
  readonly name: string
  /** What the isolate remembers of visitors, of this room and others. */
  readonly memory: Memory
  /** What this isolate has seen of the origin, for `health.shed`. */
  readonly shedder: Shedder = newShedder()
  readonly limits: Limits
  readonly #touches = new Map<string, Touches>()
  /** Doors without permits until the next sync. */
  readonly #exhausted = new Set<string>()
  readonly #downUntilMs = new Map<string, number>()
  #edge: EdgeState<RoomConfig>
  #settings: RoomSettings
  #home: string | null = null
  #syncing: { readonly done: Promise<void>; readonly sentMs: number } | null = null
  #trailing = false
  /** Sessions with leases that may become idle, and until when somebody looks. */
  readonly #watched = new Set<string>()
  #watchedUntilMs = 0
  #spread = Math.random()

  constructor(config: RoomConfig, memory: Memory) {
    this.name = config.name
    this.memory = memory
    this.#edge = newEdge(crypto.randomUUID())
    this.#settings = compile(config)
    this.limits = new Limits(this.#edge.isolate.slice(0, 13))
    this.limits.follow(this.#settings)
  }

  get settings(): RoomSettings {
    return this.#settings
  }

  get view(): View | null {
    return this.#edge.view
  }

  count(cell: string, by = 1): void {
    this.#edge.tally.add(cell, by)
  }

  /** True when the room has not been heard of for so long that `on_room_failure` applies. */
  hasFailed(nowMs: number): boolean {
    return hasFailed(this.#edge, nowMs)
  }

  /** Verifies a token once; remembers it as long as it is used. */
  async read(ring: KeyRing, text: string, nowMs: number): Promise<Token> {
    const known = this.memory.passes.get(text) ?? this.memory.tickets.get(text)
    if (known && isOf(known, this.name, nowMs)) return known
    const token = await readToken(ring, text, this.name, nowMs)
    this.know(text, token)
    return token
  }

  /** Verifies an invitation once. Those that are not valid are not remembered. */
  async invitation(ring: KeyRing, text: string, nowMs: number): Promise<Invited> {
    const own = `${this.name} ${text}`
    const known = this.memory.invitations.get(own)
    const invitation = known ?? (await readInvitation(ring, text, this.name))
    if (!invitation) return { kind: 'invalid' }
    if (!known) this.memory.invitations.set(own, invitation)
    return isInForce(invitation, nowMs) ? { kind: 'valid', invitation } : { kind: 'invalid' }
  }

  /** What was signed here needs no verification here. Forgeries are not remembered: they must not push out what is genuine. */
  know(text: string, token: Token): void {
    if (token.kind === 'pass') this.memory.passes.set(text, token)
    else if (token.kind === 'ticket') this.memory.tickets.set(text, token)
  }

  /** Waits for a view that may decide about a newcomer. A failed sync leaves the last one. */
  async current(caller: Caller): Promise<void> {
    if (!isCurrent(this.#edge, caller.nowMs)) await this.#sync(caller, caller.nowMs)
  }

  /** Renews the view in the background when it is about to grow too old. */
  renew(caller: Caller): void {
    if (!wantsRenewal(this.#edge, caller.nowMs)) return
    // One that is under way is enough, and not to be waited for: this request may have ended when it is answered.
    if (this.#syncing && isFresh(this.#syncing.sentMs, caller.nowMs)) return
    void this.#sync(caller, caller.nowMs)
  }

  /** What was counted is reported within a second also when no further request comes: positions of others depend on it. */
  report(caller: Caller): void {
    this.#countLimits()
    if (this.#trailing || !this.#edge.tally.dirty) return
    this.#trailing = true
    const waited = new Promise<void>(resolve => setTimeout(resolve, VIEW_FOR_MS)).then(() => {
      this.#trailing = false
      return this.#edge.tally.dirty ? this.#sync(caller, Date.now()) : undefined
    })
    caller.waitUntil(waited)
  }

  /** A door for a newcomer: of the visitor's region, any of the room's. */
  doorFor(caller: Caller): string {
    const doors = this.#settings.config.doors
    return `${regionOf(caller.continent)}-${doors === 1 ? 0 : Math.floor(Math.random() * doors)}`
  }

  /** The place of an arrival, with three decimals: those who come in one millisecond are spread evenly over it. */
  keyAt(nowMs: number): number {
    this.#spread = (this.#spread + GOLDEN_RATIO) % 1
    return nowMs + Math.floor(this.#spread * 1_000) / 1_000
  }

  /** The view for a visitor of this door: once it has said "none", the room is closed there, with a frontier the next sync tells. */
  viewAt(door: string): View | null {
    const { view } = this.#edge
    return view?.open && this.#exhausted.has(door) ? { ...view, open: false, lanes: {} } : view
  }

  async claim(caller: Caller, claim: Claim): Promise<ClaimAnswer> {
    const door = doorOf(claim.sid)
    const answer = await this.#call(caller, door, stub => stub.claim(claim))
    if (answer.verdict === 'none') this.#exhausted.add(door)
    return answer
  }

  knownSession(sid: string): Lease | undefined {
    const known = this.memory.leases.get(sid)
    // Other policies: what was lent by the old ones is charged at its end.
    if (known && known.limits.policies !== this.limits.policies) known.limits = this.limits.newSession()
    return known
  }

  /** What this isolate remembers of a session; made when there is nothing yet. */
  sessionOf(sid: string): Lease {
    const known = this.knownSession(sid)
    if (known) return known
    const limits = this.limits.newSession()
    const lease = { untilMs: 0, renewMs: 0, expiresMs: 0, token: '', limits, sampledWindow: 0, samples: 0 }
    this.memory.leases.set(sid, lease)
    return lease
  }

  touch(caller: Caller, touch: Touch): Promise<TouchAnswer> {
    return this.#touchesOf(touch.sid).ask(caller, touch)
  }

  /** A touch for which no request waits. */
  touchLater(caller: Caller, touch: Touch, note: (answer: TouchAnswer) => void): void {
    this.#touchesOf(touch.sid).askLater(caller, touch, note)
  }

  /** Tells the door what a session owes, soon, and in the background. */
  settleLater(caller: Caller, sid: string): void {
    this.touchLater(caller, { sid, protectMs: 0 }, () => undefined)
    const touches = this.#touchesOf(sid)
    const sent = new Promise<void>(resolve => setTimeout(resolve, SETTLED_AFTER_MS)).then(() =>
      touches.sendLater(caller),
    )
    caller.waitUntil(sent)
  }

  async end(caller: Caller, sid: string, how: 'left' | 'revoked'): Promise<boolean> {
    this.memory.leases.delete(sid)
    return this.#call(caller, doorOf(sid), door => door.end(sid, how))
  }

  async extend(caller: Caller, sid: string, byMs: number): Promise<boolean> {
    const lease = this.memory.leases.get(sid)
    if (lease) lease.untilMs = 0
    return this.#call(caller, doorOf(sid), door => door.extend(sid, byMs))
  }

  /** Spends from a quota of this isolate's own; answers 0, or milliseconds until it would pass. */
  spend(key: string, quota: Quota, nowMs: number, cost = 1): number {
    const own = `${this.name}/${key}`
    const verdict = spend(quota, this.memory.quotas.get(own) ?? 0, cost, nowMs)
    this.memory.quotas.set(own, verdict.tatMs)
    return verdict.allowed ? 0 : verdict.retryAfterMs
  }

  #touchesOf(sid: string): Touches {
    const door = doorOf(sid)
    const known = this.#touches.get(door)
    if (known) return known
    const touches = new Touches((caller, batch) => this.#sendTouches(caller, door, batch))
    this.#touches.set(door, touches)
    return touches
  }

  /** What sessions ask for is written when the call leaves: by then it is known how many requests wait. */
  async #sendTouches(caller: Caller, door: string, batch: readonly Touch[]): Promise<readonly TouchAnswer[]> {
    const sentMs = Date.now()
    const asked = batch.map(touch => this.#asksOf(touch, sentMs))
    const touches = batch.map((touch, i) => (asked[i]?.length ? { ...touch, asks: asked[i] } : touch))
    try {
      const answers = await this.#call(caller, door, stub => stub.touch(touches))
      const nowMs = Date.now()
      for (const [i, { sid }] of batch.entries()) {
        const answer = answers[i]
        if (answer?.verdict === 'live') this.#noteLive(sid, asked[i] ?? [], answer, { sentMs, nowMs })
      }
      this.#watch(caller, nowMs)
      return answers
    } catch (error) {
      for (const [i, { sid }] of batch.entries()) {
        const lease = this.memory.leases.peek(sid)
        if (lease) this.limits.noteNoAnswer(lease.limits, asked[i] ?? [])
      }
      throw error
    }
  }

  #asksOf({ sid, isIdle }: Touch, nowMs: number): readonly Ask[] {
    const lease = this.memory.leases.peek(sid)
    if (!lease || lease.limits.policies !== this.limits.policies) return []
    return isIdle ? this.limits.giveBack(lease.limits, nowMs) : this.limits.asks(lease.limits, nowMs)
  }

  #noteLive(
    sid: string,
    asks: readonly Ask[],
    answer: TouchAnswer & { verdict: 'live' },
    at: { sentMs: number; nowMs: number },
  ): void {
    const lease = this.sessionOf(sid)
    // The lease runs from when the question was sent: it must not outlast what the door meant.
    lease.untilMs = at.sentMs + answer.leaseMs
    lease.renewMs = at.sentMs + answer.leaseMs * RENEWED_AT
    lease.expiresMs = answer.expiresMs
    if (!answer.grants) return
    this.limits.note(lease.limits, asks, answer.grants, { ...at, leaseMs: answer.leaseMs })
    if (this.#watched.size >= WATCHED_MAX || !this.limits.hasMuch(lease.limits, at.nowMs)) return
    this.limits.isIdle(lease.limits, at.nowMs)
    this.#watched.add(sid)
  }

  /** What a session lets lie is given back within some seconds, so that it is not charged for what nobody used. */
  #watch(caller: Caller, nowMs: number): void {
    if (this.#watched.size === 0 || nowMs < this.#watchedUntilMs) return
    this.#watchedUntilMs = nowMs + IDLE_AFTER_MS * (IDLE_LOOKS + 1)
    caller.waitUntil(this.#lookForIdle(caller))
  }

  async #lookForIdle(caller: Caller): Promise<void> {
    for (let look = 0; look < IDLE_LOOKS && this.#watched.size > 0; look++) {
      await new Promise<void>(resolve => setTimeout(resolve, IDLE_AFTER_MS))
      const nowMs = Date.now()
      const later = callerAt(caller, nowMs)
      const doors = new Set<Touches>()
      for (const sid of this.#watched) {
        const lease = this.memory.leases.peek(sid)
        if (!lease || !this.limits.hasMuch(lease.limits, nowMs)) this.#watched.delete(sid)
        else if (this.limits.isIdle(lease.limits, nowMs)) {
          this.#watched.delete(sid)
          const touches = this.#touchesOf(sid)
          touches.askLater(later, { sid, protectMs: 0, isIdle: true }, () => undefined)
          doors.add(touches)
        }
      }
      for (const touches of doors) touches.sendLater(later)
    }
    this.#watchedUntilMs = 0
  }

  #countLimits(): void {
    this.limits.figures.take((cell, by) => this.count(cell, by))
  }

  /** One sync at a time. It outlives the request that began it: others wait for the same answer. */
  async #sync(caller: Caller, nowMs: number): Promise<void> {
    const shared = this.#syncing
    if (shared && isFresh(shared.sentMs, nowMs)) return within(CALL_TIMEOUT_MS, shared.done).catch(() => undefined)
    const done = this.#syncOnce(caller, nowMs).finally(() => {
      if (this.#syncing?.done === done) this.#syncing = null
    })
    this.#syncing = { done, sentMs: nowMs }
    caller.waitUntil(done)
    await done
  }

  async #syncOnce(caller: Caller, nowMs: number): Promise<void> {
    this.#home ??= this.doorFor(caller)
    if (nowMs - this.#edge.viewAtMs > ISOLATE_SILENT_MS) this.#beginAnew()
    if ((this.#downUntilMs.get(this.#home) ?? 0) > nowMs) return
    caller.calls.sync++
    this.#countLimits()
    const edge = this.#edge
    const report = edgeReport(edge)
    try {
      const reply = await within(CALL_TIMEOUT_MS, doorStub(caller.env, this.name, this.#home).sync(report))
      applyEdgeReply(edge, reply, nowMs)
      if (reply.settings) {
        this.#settings = compile(reply.settings)
        this.#countLimits()
        this.limits.follow(this.#settings)
      }
      this.#exhausted.clear()
    } catch (error) {
      noAnswer(edge, nowMs)
      this.#downUntilMs.set(this.#home, nowMs + DOWN_FOR_MS)
      // A home that stays away is left for another of the room's doors.
      this.#home = null
      console.warn(`room ${this.name}: no view from a door: ${String(error)}`)
    }
  }

  /** Doors forget an isolate that was silent. What it had not got an answer for goes on under a new name. */
  #beginAnew(): void {
    const { view, settings, version, viewAtMs, failingSinceMs, tally } = this.#edge
    if (viewAtMs === Number.NEGATIVE_INFINITY) return
    const unsaid = tally.report().cells
    this.#edge = { ...newEdge<RoomConfig>(crypto.randomUUID()), view, settings, version, viewAtMs, failingSinceMs }
    for (const [cell, by] of Object.entries(unsaid)) this.#edge.tally.add(cell, by)
  }

  /** A call that outlives its request, for others may wait for it; it is counted where it is made. */
  async #call<Answer>(
    caller: Caller,
    door: string,
    call: (door: DoorCalls<RoomConfig>) => Promise<Answer>,
  ): Promise<Answer> {
    const nowMs = Date.now()
    if ((this.#downUntilMs.get(door) ?? 0) > nowMs) throw new Unreachable(`door ${door} did not answer a moment ago`)
    caller.calls.object++
    this.count('calls')
    try {
      const answer = within(CALL_TIMEOUT_MS, call(doorStub(caller.env, this.name, door)))
      caller.waitUntil(answer.catch(() => undefined))
      return await answer
    } catch (error) {
      this.#downUntilMs.set(door, nowMs + DOWN_FOR_MS)
      throw new Unreachable(`door ${door}: ${String(error)}`)
    }
  }
}

/** An answer that others wait for is shared only while it can still come: its request may have been cut off. */
function isFresh(sentMs: number, nowMs: number): boolean {
  return nowMs - sentMs < CALL_TIMEOUT_MS
}

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: number | null = null
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreachable(`no answer in ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
