/**
 * The Room object: settings, the line, the permits. It reads the clock, lets `core` decide, saves and answers.
 *
 * Whatever a report changes is stored before its answer leaves (output gates). So a door never uses a grant that the
 * room could forget.
 */
import { retryable } from 'cloudflare:durable-objects'
import { DurableObject } from 'cloudflare:workers'
import { turnOf } from '../core/events/events.ts'
import type { HealthSnapshot } from '../core/health/effect.ts'
import type { AuditEntry, AuditQuery, Deed, Proof } from '../core/protocol/audit.ts'
import type * as calls from '../core/protocol/calls.ts'
import type { DoorReply, DoorReport } from '../core/protocol/messages.ts'
import * as core from '../core/room/room.ts'
import { prunePolicies } from '../core/room/totals.ts'
import { secretNames } from '../settings/admin/secret-names.ts'
import type { LiveChange } from '../settings/changes.ts'
import type { RoomSettings } from '../settings/compiled/room.ts'
import { readDeployment } from '../settings/deployment.ts'
import type { Env } from '../settings/env.ts'
import type { RoomConfig } from '../settings/schema.ts'
import { AuditLog, changeAsDeed, OWN } from './audit.ts'
import { DoorHints } from './door-hints.ts'
import { type HealthNow, RoomHealth } from './health/health.ts'
import { loadOf, votersIn } from './health/load.ts'
import { Probes } from './health/probes.ts'
import { RoomHistory } from './history/history.ts'
import { LiveSettings } from './live-settings.ts'
import { RoomLog } from './log.ts'
import { commitDraws, publicDraws } from './public-draw.ts'
import { policyNames, roomStats } from './stats.ts'
import { RoomStore } from './store.ts'

export class Room extends DurableObject<Env> implements calls.RoomCalls<RoomConfig> {
  static {
    // A repeat of these calls gives the same answer. A repeat of `change` does not: the first call moves the version.
    const { sync, describe, changes, draws, health, history, forecast, audit } = Room.prototype
    retryable(sync, describe, changes, draws, health, history, forecast, audit)
  }

  readonly #store: RoomStore
  readonly #state: core.RoomState
  readonly #hints: DoorHints
  readonly #live: LiveSettings
  readonly #log: RoomLog
  readonly #audit: AuditLog
  readonly #health: RoomHealth
  readonly #history: RoomHistory
  readonly #probes: Probes

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const name = ctx.id.name ?? ''
    const deployment = readDeployment(env)
    const file = deployment.rooms.find(room => room.name === name)
    if (!file) throw new Error(`no room named ${name} in this deployment`)
    this.#store = new RoomStore(ctx.storage.sql)
    this.#state = this.#store.load(Date.now())
    this.#log = new RoomLog(name, core.left(this.#state) === 0)
    this.#hints = new DoorHints(ctx, env, this.#log, this.#state.doors)
    this.#live = new LiveSettings(file, this.#store)
    this.#health = new RoomHealth(ctx.storage.sql, Date.now(), decision => this.#log.health(decision))
    this.#history = new RoomHistory(ctx.storage.sql, this.#state, this.#health)
    this.#probes = new Probes(deployment, env)
    this.#audit = new AuditLog(ctx.storage.sql)
    this.#audit.noteSecrets(secretNames(env, name), Date.now())
    // A seed is stored before a request can ask for its commitment.
    if (commitDraws(this.#state.events, this.#settings.events, Date.now())) this.#store.saveRoom(this.#state)
  }

  async sync(report: DoorReport): Promise<DoorReply<RoomConfig> | null> {
    const nowMs = Date.now()
    const { settings, version } = this.#live
    this.#history.endMinute(nowMs)
    this.#catchUp(nowMs)
    const outcome = core.sync(this.#state, report, this.#rulesAt(nowMs, report), nowMs)
    if (outcome.kind === 'stale') return null
    if (outcome.kind === 'applied') {
      this.#history.note(this.#rulesAt(nowMs), nowMs)
      this.#store.saveReported(this.#state, report.door, outcome.dirty)
      for (const door of outcome.nudge) this.#hints.send(door)
      this.#health.ingest(outcome.health, settings.health, nowMs)
    }
    const health = this.#followHealth(nowMs)
    // A repeated report may be the first one that this incarnation of the room receives.
    if (!this.#state.snapshot) core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    const { snapshot } = this.#state
    if (!snapshot) throw new Error(`room ${this.#log.room} has no snapshot after a report`)
    this.#log.reported(report.door, snapshot)
    return {
      epoch: report.epoch,
      seq: report.seq,
      granted: outcome.granted,
      snapshot: { ...snapshot, ...(health ? { health } : {}), ...votersIn(this.#state) },
      version,
      ...(outcome.lanes ? { lanes: outcome.lanes } : {}),
      ...(report.version === version ? {} : { settings: settings.config }),
    }
  }

  async describe(): Promise<calls.RoomDescription<RoomConfig>> {
    const nowMs = Date.now()
    this.#passTime(nowMs)
    const now = {
      rules: this.#rulesAt(nowMs),
      health: this.#health.figures(this.#settings.at(nowMs).admission, this.#healthNow(nowMs)),
      admittedLastMinute: this.#history.admittedLastMinute(nowMs),
      forecast: await this.forecast({}),
    }
    const figures = roomStats(this.#state, this.#settings, now, nowMs)
    return { ...this.#live.description, figures, draws: await publicDraws(this.#state.events.draws, nowMs), nowMs }
  }

  async forecast(limits: Partial<core.RoomRules>): Promise<calls.Forecast> {
    const nowMs = Date.now()
    this.#passTime(nowMs)
    return this.#history.forecast(limits, this.#settings, this.#healthNow(nowMs))
  }

  async change(
    request: calls.ChangeRequest,
    ifVersions: readonly string[] | null,
    actor: string,
    proof: Proof = OWN,
  ): Promise<calls.ChangeOutcome> {
    // From the decision to the change there is no `await`.
    const next = await this.#live.decide(request, ifVersions, () => this.#hints.collectSpent())
    if ('kind' in next) return next
    const before = this.#settings.config
    this.#putInForce(next, actor, Date.now())
    this.#audit.add(changeAsDeed(next, before, { actor, ...proof }), Date.now())
    this.#hints.sendToAll()
    // The change may have added a probe for an upstream that is in trouble.
    await this.#probeSoon()
    return { kind: 'changed', version: this.#live.version }
  }

  #putInForce(change: LiveChange, actor: string, nowMs: number): void {
    // The old rate applies to the time up to now.
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    this.#live.apply(change, actor, nowMs)
    this.#state.snapshot = null
    if (change.restocks) core.restock(this.#state, change.config.remaining)
    commitDraws(this.#state.events, this.#settings.events, nowMs)
    prunePolicies(this.#state.totals, policyNames(this.#settings))
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    this.#save()
  }

  async changes(): Promise<readonly calls.Change[]> {
    return this.#store.changes()
  }

  async health(minutes: number): Promise<calls.HealthReport> {
    const nowMs = Date.now()
    this.#followHealth(nowMs)
    const figures = this.#health.figures(this.#settings.at(nowMs).admission, this.#healthNow(nowMs))
    return this.#health.report(figures, minutes, nowMs)
  }

  async history(query: calls.HistoryQuery): Promise<calls.HistoryReport> {
    this.#passTime(Date.now())
    return this.#history.report(query, this.#store.changes(query.fromMs, query.toMs), this.#settings)
  }

  async audit(query: AuditQuery): Promise<readonly AuditEntry[]> {
    return this.#audit.entries(query)
  }

  async record(deed: Deed): Promise<void> {
    this.#audit.add(deed, Date.now())
  }

  async liftCeiling(): Promise<void> {
    this.#health.lift(this.#healthNow(Date.now()))
  }

  /** Probes the upstreams in trouble that are due. */
  override async alarm(): Promise<void> {
    await this.#probes.run(this.#health.toProbe(this.#settings.health), this.#settings, (upstream, answer) =>
      this.#health.probed(upstream, answer, this.#healthNow(Date.now())),
    )
    this.#followHealth(Date.now())
    await this.#probeSoon()
  }

  /** The operator's limits, lowered to what the origin bears. */
  #rulesAt(nowMs: number, report?: DoorReport): core.RoomRules {
    return this.#health.limits(this.#settings.at(nowMs).admission, this.#healthNow(nowMs, report))
  }

  #healthNow(nowMs: number, report?: DoorReport): HealthNow {
    return { load: loadOf(this.#state, nowMs, report), settings: this.#settings.health, nowMs }
  }

  /**
   * Advances the origin's health to `nowMs` and returns what edges need of it. Nudges all doors when a breaker changes
   * state, or a readmission ramp begins or ends: a door that has nothing to report would not learn of it.
   */
  #followHealth(nowMs: number): HealthSnapshot | null {
    this.#history.endMinute(nowMs)
    const snapshot = this.#health.advance(this.#settings.at(nowMs).admission, this.#healthNow(nowMs))
    if (!this.#health.isNews(snapshot)) return snapshot
    this.#hints.sendToAll()
    this.ctx.waitUntil(this.#probeSoon())
    return snapshot
  }

  /** Sets the alarm for the next probe. An alarm outlives this object's memory, so a restart loses no probe. */
  async #probeSoon(): Promise<void> {
    const dueMs = this.#probes.nextMs(this.#health.toProbe(this.#settings.health), this.#settings)
    if (dueMs !== null) await this.ctx.storage.setAlarm(Math.max(Date.now(), dueMs))
  }

  get #settings(): RoomSettings {
    return this.#live.settings
  }

  async draws(): Promise<readonly calls.PublicDraw[]> {
    const nowMs = Date.now()
    this.#passTime(nowMs)
    return publicDraws(this.#state.events.draws, nowMs)
  }

  /**
   * Lets time pass without a report. An event that starts now is stored before any answer contains its start, and so is
   * a lane that a new file adds or removes.
   */
  #passTime(nowMs: number): void {
    const before = turnOf(this.#state.events)
    this.#followHealth(nowMs)
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    if (turnOf(this.#state.events) !== before || core.isStoringDue(this.#state, nowMs)) this.#save()
  }

  #save(): void {
    this.#store.saveLines(this.#state, core.takeDirty(this.#state, Date.now()))
    this.#store.saveRoom(this.#state)
  }

  /** Fills the permits up to each start or end of an event with the limits that held before it. */
  #catchUp(nowMs: number): void {
    for (const turnMs of this.#settings.turnsBetween(this.#state.bank.filledAtMs, nowMs)) {
      core.fillUpTo(this.#state, this.#rulesAt(turnMs - 1), turnMs)
      this.#log.turn(this.#settings, turnMs)
    }
  }
}
