/**
 * The Door object: which sessions are active, and until when. Each call reads the clock, loads, lets `core` decide,
 * saves and answers.
 *
 * Everything that a call writes to SQLite is durable before its answer leaves (output gates). Permits are in memory
 * only, under an epoch. Every incarnation of the object raises the epoch before it answers any call.
 */

import { retryable } from 'cloudflare:durable-objects'
import { DurableObject } from 'cloudflare:workers'
import { goOn, nextStepMs, type Pause } from '../core/door/clock-freeze.ts'
import * as core from '../core/door/door.ts'
import { type Lender, lendToClaim, renewAndLend } from '../core/door/lending.ts'
import { type DoorPlaces, keepCode, redeemCode } from '../core/door/transfers.ts'
import { Ledger } from '../core/limits/ledger.ts'
import type { DoorCalls } from '../core/protocol/calls.ts'
import type {
  Claim,
  ClaimAnswer,
  EdgeReply,
  EdgeReport,
  PlaceLeft,
  Renewal,
  RenewalAnswer,
} from '../core/protocol/messages.ts'
import type { OfferAnswer, TakeAnswer, TransferOffer, TransferTake } from '../core/protocol/transfers.ts'
import type { Session } from '../core/session.ts'
import { alarmAtMs, CLAIM_AWAITED_MS, SNAPSHOT_FOR_MS } from '../core/timing.ts'
import { within } from '../runtime/within.ts'
import { readDeployment } from '../settings/deployment.ts'
import { type Env, roomStub } from '../settings/env.ts'
import type { RoomConfig } from '../settings/schema.ts'
import { RoomLink } from './room-link.ts'
import { DoorStore } from './store.ts'
import { DoorTransfers } from './transfers.ts'

export class Door extends DurableObject<Env> implements DoorCalls<RoomConfig> {
  static {
    // Each of these calls gives the same answer when it is repeated, so the platform may repeat it after a lost
    // connection.
    const { sync, claim, renew, end, extend, session, nudge, offerTransfer, takeTransfer } = Door.prototype
    retryable(sync, claim, renew, end, extend, session, nudge, offerTransfer, takeTransfer)
  }

  readonly #room: string
  readonly #store: DoorStore
  readonly #transfers: DoorTransfers
  readonly #state: core.DoorState
  readonly #lender: Lender
  readonly #link: RoomLink
  #alarmAtMs: number | null = null
  /** The last outage for which the ends of sessions were moved. */
  #pause: Pause | null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const nowMs = Date.now()
    const [room, name] = splitName(ctx.id.name)
    this.#room = room
    this.#store = new DoorStore(ctx.storage.sql, nowMs)
    this.#transfers = new DoorTransfers(ctx.storage.sql)
    this.#lender = {
      ledger: new Ledger(this.#store),
      quotaOf: policy => this.#link.settings.quotas.get(policy),
    }
    this.#pause = this.#store.pause()
    this.#state = core.newDoor(name, this.#store.nextEpoch(), nowMs)
    const config = readDeployment(env).rooms.find(other => other.name === room)
    if (!config) throw new Error(`no room named ${room} in this deployment`)
    this.#link = new RoomLink(
      {
        room,
        door: name,
        report: (version, sentMs) => {
          core.allowAsking(this.#state)
          return core.report(this.#state, this.#store.live(sentMs), version, sentMs)
        },
        send: report => roomStub(env, room).sync(report),
        apply: reply => {
          const atMs = Date.now()
          core.applyReply(this.#state, reply, atMs)
          this.#pauseSessions(atMs)
        },
        owesReport: atMs => this.#owesReport(atMs),
      },
      config,
    )
  }

  async sync(report: EdgeReport): Promise<EdgeReply<RoomConfig>> {
    core.noteCall(this.#state.calls, Date.now())
    core.applyEdgeReport(this.#state, report, Date.now())
    if (Date.now() - this.#link.answeredAtMs > SNAPSHOT_FOR_MS) await this.#link.sync()
    this.#link.keepGoing()
    const { snapshot } = this.#state
    if (!snapshot)
      throw new Error(`room ${this.#room} has not answered door ${this.#state.name} yet: ${this.#link.whyNot}`)
    const { version, settings } = this.#link
    return {
      seq: report.seq,
      snapshot,
      version,
      silentMs: this.#link.silentMs(Date.now()),
      ...(report.version === version ? {} : { settings: settings.config }),
    }
  }

  async claim(request: Claim): Promise<ClaimAnswer> {
    const startMs = Date.now()
    core.noteCall(this.#state.calls, startMs)
    let decision = this.#decide(request, 'new', startMs)
    while (decision.verdict === 'undecided') {
      // The sync under way may have begun before this claim came. If it brings too few permits, the next sync includes
      // the claim.
      const leftMs = startMs + CLAIM_AWAITED_MS - Date.now()
      const answered = await within(leftMs, this.#link.sync())
      decision = this.#decide(request, answered === true ? 'waiting' : 'last', Date.now())
    }
    this.#link.keepGoing()
    if (decision.verdict === 'admitted') this.#wakeAt(decision.expiresMs)
    const nowMs = Date.now()
    return lendToClaim(this.#lender, this.#sessionsAt(nowMs), { request, answer: decision }, nowMs)
  }

  async renew(requests: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    await this.#link.waitForSettings()
    const nowMs = Date.now()
    core.noteCall(this.#state.calls, nowMs)
    const sessions = this.#sessionsAt(nowMs)
    return requests.map(request => renewAndLend(this.#lender, sessions, request, nowMs))
  }

  async end(sid: string, how: 'left' | 'revoked', place?: PlaceLeft): Promise<boolean> {
    const nowMs = Date.now()
    const ended = core.endEarly(this.#state, this.#sessionsAt(nowMs), { sid, how, place }, nowMs)
    const session = ended ? this.#store.get(sid) : undefined
    if (session && session.expiresMs > nowMs) this.#wakeAt(session.expiresMs)
    return ended
  }

  async extend(sid: string, byMs: number): Promise<boolean> {
    return core.extendSession(this.#store, sid, byMs, Date.now())
  }

  async session(sid: string): Promise<Session | null> {
    return this.#store.get(sid) ?? null
  }

  async offerTransfer(offer: TransferOffer): Promise<OfferAnswer> {
    const nowMs = Date.now()
    core.noteCall(this.#state.calls, nowMs)
    const answer = keepCode(this.#sessionsAt(nowMs), offer, nowMs)
    if (answer.verdict === 'offered') this.#wakeAt(answer.untilMs)
    return answer
  }

  async takeTransfer(take: TransferTake): Promise<TakeAnswer> {
    const nowMs = Date.now()
    core.noteCall(this.#state.calls, nowMs)
    const answer = redeemCode(this.#state, this.#sessionsAt(nowMs), take, nowMs)
    this.#link.keepGoing()
    return answer
  }

  async nudge(): Promise<void> {
    await this.#link.syncAnew()
    this.#link.keepGoing()
  }

  /** Reports places that have come free, and prunes old rows. */
  override async alarm(): Promise<void> {
    this.#alarmAtMs = null
    const nowMs = Date.now()
    if (this.#owesReport(nowMs) || nowMs < (this.#pause?.untilMs ?? 0)) await this.#link.sync()
    this.#prune(Date.now())
    for (const nextMs of [this.#store.nextEndMs(), this.#transfers.nextEndMs()]) {
      if (nextMs !== null) this.#wakeAt(nextMs)
    }
    this.#link.keepGoing()
  }

  #decide(request: Claim, attempt: core.Attempt, nowMs: number): core.ClaimDecision {
    return core.decideClaim(this.#state, this.#sessionsAt(nowMs), { request, attempt }, nowMs)
  }

  #sessionsAt(nowMs: number): DoorPlaces {
    return { store: this.#store, rules: this.#link.settings.at(nowMs).session, transfers: this.#transfers }
  }

  /** Deletes debts and sessions that are not needed any more. Live settings decide how long a session's row stays. */
  #prune(nowMs: number): void {
    this.#store.pruneDrained(nowMs)
    this.#transfers.prune(nowMs)
    const { snapshot } = this.#state
    if (!snapshot) return
    const lapsed = Object.values(snapshot.lanes).map(lane => lane.lapsedKey)
    this.#store.prune(Math.min(...lapsed, Number.POSITIVE_INFINITY), this.#link.settings.at(nowMs).session, nowMs)
  }

  /** Moves the ends of live sessions later while the origin is down, because session time does not run then. */
  #pauseSessions(nowMs: number): void {
    if (!this.#state.snapshot?.health?.paused) return
    const { pause, byMs } = goOn(this.#pause, nowMs)
    if (byMs > 0) this.#store.prolong(byMs, pause, nowMs)
    this.#pause = pause
    this.#wakeAt(nextStepMs(pause))
  }

  #owesReport(nowMs: number): boolean {
    return core.isActive(this.#state, this.#store.live(nowMs), nowMs)
  }

  /**
   * Sets the alarm for the end of a session. An earlier alarm stays as it is, so a renewal costs no write. When an
   * alarm rings too early, it sets the next one.
   */
  #wakeAt(endMs: number): void {
    const atMs = alarmAtMs(endMs, Date.now())
    if (this.#alarmAtMs !== null && this.#alarmAtMs <= atMs) return
    this.#alarmAtMs = atMs
    void this.ctx.storage.setAlarm(atMs)
  }
}

/** Objects are named `<room>/<door>`. */
function splitName(name: string | undefined): [room: string, door: string] {
  const slash = name?.lastIndexOf('/') ?? -1
  if (!name || slash < 0) throw new Error(`a door is reached by its name, <room>/<door>, got ${name}`)
  return [name.slice(0, slash), name.slice(slash + 1)]
}
