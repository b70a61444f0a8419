/**
 * The Room object: settings, the line, the permits. Each call reads the clock, lets `core` decide, saves and answers.
 *
 * Every change that a report makes is stored before the answer leaves (output gates). So a door never uses a grant that
 * the room could forget.
 */
import { retryable } from 'cloudflare:durable-objects'
import { turnOf } from '../core/events/events.ts'
import type { HealthSnapshot } from '../core/health/effect.ts'
import type { Proof } from '../core/protocol/audit.ts'
import type * as calls from '../core/protocol/calls.ts'
import type { HealthReport } from '../core/protocol/health.ts'
import type { DoorReply, DoorReport } from '../core/protocol/messages.ts'
import * as core from '../core/room/room.ts'
import { prunePolicies } from '../core/room/totals.ts'
import type { LiveChange } from '../settings/changes.ts'
import type { RoomSettings } from '../settings/compiled/room.ts'
import type { Env } from '../settings/env.ts'
import type { RoomConfig } from '../settings/schema.ts'
import { alertFigures } from './alerts/figures.ts'
import { changeAsDeed, OWN } from './audit.ts'
import { DoorHints } from './door-hints.ts'
import { type HealthNow, RoomHealth } from './health/health.ts'
import { loadOf, votersIn } from './health/load.ts'
import { Probes } from './health/probes.ts'
import { RoomHistory } from './history/history.ts'
import { RoomReports } from './history/reports.ts'
import { RoomLog, turnsAt } from './log.ts'
import { OperatedRoom } from './operated-room.ts'
import { commitDraws, publicDraws } from './public-draw.ts'
import { policyNames, roomStats } from './stats.ts'

export class Room extends OperatedRoom implements calls.RoomCalls<RoomConfig> {
  static {
    // When one of these calls is repeated, it gives the same answer. A repeated `change` does not, because the first
    // one has moved the version.
    const { sync, describe, changes, draws, health, history, forecast, audit, alertReport } = Room.prototype
    retryable(sync, describe, changes, draws, health, history, forecast, audit, alertReport)
  }

  readonly #state: core.RoomState
  readonly #hints: DoorHints
  readonly #log: RoomLog
  readonly #health: RoomHealth
  readonly #history: RoomHistory
  readonly #probes: Probes

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#state = this.store.load(Date.now())
    this.#log = new RoomLog(this.name, core.left(this.#state) === 0)
    this.#hints = new DoorHints(ctx, env, this.#log, this.#state.doors)
    this.#health = new RoomHealth(ctx.storage.sql, Date.now(), decision => this.#log.health(decision))
    this.#history = new RoomHistory(ctx.storage.sql, this.#state, this.#health)
    this.keptReports = new RoomReports({ room: this.name, sql: ctx.storage.sql, history: this.#history }, this.auditLog)
    this.#probes = new Probes(this.deployment, env)
    // The seed of a draw is stored before a request can ask for its commitment.
    if (commitDraws(this.#state.events, this.#settings.events, Date.now())) this.store.saveRoom(this.#state)
  }

  async sync(report: DoorReport): Promise<DoorReply<RoomConfig> | null> {
    const nowMs = Date.now()
    const { settings, version } = this.live
    this.#history.endMinute(nowMs)
    this.#catchUp(nowMs)
    const outcome = core.sync(this.#state, report, this.#rulesAt(nowMs, report), nowMs)
    if (outcome.kind === 'stale') return null
    if (outcome.kind === 'applied') {
      this.#history.note(this.#rulesAt(nowMs), nowMs)
      this.store.saveReported(this.#state, report.door, outcome.dirty)
      for (const door of outcome.nudge) this.#hints.send(door)
      this.#health.ingest(outcome.health, settings.health, nowMs)
    }
    const health = this.#followHealth(nowMs)
    // A repeated report may be the first report that this incarnation of the room receives.
    if (!this.#state.snapshot) core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    const { snapshot } = this.#state
    if (!snapshot) throw new Error(`room ${this.#log.room} has no snapshot after a report`)
    this.#log.reported(report.door, snapshot)
    this.#announce(nowMs)
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
    this.passTime(nowMs)
    const draws = await publicDraws(this.#state.events.draws, nowMs)
    return { ...this.live.description, draws, figures: this.#stats(nowMs), nowMs }
  }

  #stats(nowMs: number): calls.RoomStats {
    const now = {
      rules: this.#rulesAt(nowMs),
      health: this.#health.figures(this.#settings.at(nowMs).admission, this.#healthNow(nowMs)),
      lastMinute: this.#history.lastMinute(nowMs),
      ...this.#history.outlook(this.#settings, this.#healthNow(nowMs)),
    }
    return roomStats(this.#state, this.#settings, now, nowMs)
  }

  async forecast(limits: Partial<core.RoomRules>): Promise<calls.Forecast> {
    const nowMs = Date.now()
    this.passTime(nowMs)
    return this.#history.forecast(limits, this.#settings, this.#healthNow(nowMs))
  }

  async change(
    request: calls.ChangeRequest,
    ifVersions: readonly string[] | null,
    actor: string,
    proof: Proof = OWN,
  ): Promise<calls.ChangeOutcome> {
    // There is no `await` between the decision and the change, so no other call comes between them.
    const next = await this.live.decide(request, ifVersions, () => this.#hints.collectSpent())
    if ('kind' in next) return next
    const before = this.#settings.config
    this.#putInForce(next, actor, Date.now())
    this.noteChange(changeAsDeed(next, before, { actor, ...proof }), Date.now())
    this.#hints.sendToAll(Date.now())
    this.#announce(Date.now())
    // The change may have added a probe for an upstream that is in trouble.
    await this.#wakeSoon()
    return { kind: 'changed', version: this.live.version }
  }

  #putInForce(change: LiveChange, actor: string, nowMs: number): void {
    // The old rate applies to the time up to now.
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    this.live.apply(change, actor, nowMs)
    this.#state.snapshot = null
    if (change.restocks) core.restock(this.#state, change.config.remaining)
    commitDraws(this.#state.events, this.#settings.events, nowMs)
    prunePolicies(this.#state.totals, policyNames(this.#settings))
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    this.#save()
  }

  async health(minutes: number): Promise<HealthReport> {
    const nowMs = Date.now()
    this.#followHealth(nowMs)
    const figures = this.#health.figures(this.#settings.at(nowMs).admission, this.#healthNow(nowMs))
    return this.#health.report(figures, minutes, nowMs)
  }

  async history(query: calls.HistoryQuery): Promise<calls.HistoryReport> {
    this.passTime(Date.now())
    return this.#history.report(query, this.store.changes(query.fromMs, query.toMs), this.#settings)
  }

  async liftCeiling(): Promise<void> {
    this.#health.lift(this.#healthNow(Date.now()))
  }

  /** Probes the upstreams in trouble that are due, and sends the notices that are due. */
  override async alarm(): Promise<void> {
    this.wakeUps.rang()
    this.passTime(Date.now())
    // A slow receiver must not delay a probe.
    this.ctx.waitUntil(this.alerts.send(Date.now()).then(() => this.#wakeSoon()))
    await this.#probes.run(this.#health.toProbe(this.#settings.health), this.#settings, (upstream, answer) =>
      this.#health.probed(upstream, answer, this.#healthNow(Date.now())),
    )
    this.#followHealth(Date.now())
    this.#announce(Date.now())
    await this.#wakeSoon()
  }

  #announce(nowMs: number): void {
    this.sockets.hint(nowMs)
    const figures = () => alertFigures(this.#stats(nowMs), this.#log.silentDoors, this.tokenEndsInMs(nowMs))
    this.alerts.follow(this.rulesOfAlerts(), figures, nowMs)
    this.ctx.waitUntil(this.#wakeSoon())
  }

  /** Returns the operator's limits, lowered to what the origin can bear. */
  #rulesAt(nowMs: number, report?: DoorReport): core.RoomRules {
    return this.#health.limits(this.#settings.at(nowMs).admission, this.#healthNow(nowMs, report))
  }

  #healthNow(nowMs: number, report?: DoorReport): HealthNow {
    return { load: loadOf(this.#state, nowMs, report), settings: this.#settings.health, nowMs }
  }

  /**
   * Advances the origin's health to `nowMs` and returns what edges need of it. Nudges the doors in use when a breaker
   * changes state, or a readmission ramp begins or ends. A door that has nothing to report would not learn of it.
   */
  #followHealth(nowMs: number): HealthSnapshot | null {
    this.#history.endMinute(nowMs)
    const snapshot = this.#health.advance(this.#settings.at(nowMs).admission, this.#healthNow(nowMs))
    if (!this.#health.isNews(snapshot)) return snapshot
    this.#hints.sendToAll(nowMs)
    this.ctx.waitUntil(this.#wakeSoon())
    return snapshot
  }

  /** Sets the alarm for the next probe, notice or judgement of alerts. */
  #wakeSoon(): Promise<void> {
    const nowMs = Date.now()
    const probeMs = this.#probes.nextMs(this.#health.toProbe(this.#settings.health), this.#settings)
    const isIdle = core.sums(this.#state).live === 0 && core.waitingTotal(this.#state) < 1
    const nextTurnMs = this.#settings.turnsBetween(nowMs, Number.POSITIVE_INFINITY)[0] ?? null
    const alertMs = this.alerts.nextMs(this.rulesOfAlerts(), { isIdle, nextTurnMs }, nowMs)
    return this.wakeUps.at([probeMs, alertMs], nowMs)
  }

  get #settings(): RoomSettings {
    return this.live.settings
  }

  async draws(): Promise<readonly calls.PublicDraw[]> {
    const nowMs = Date.now()
    this.passTime(nowMs)
    return publicDraws(this.#state.events.draws, nowMs)
  }

  protected override passTime(nowMs: number): void {
    const before = turnOf(this.#state.events)
    this.#followHealth(nowMs)
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#rulesAt(nowMs), nowMs)
    if (turnOf(this.#state.events) !== before || core.isStoringDue(this.#state, nowMs)) this.#save()
  }

  #save(): void {
    this.store.saveLines(this.#state, core.takeDirty(this.#state, Date.now()))
    this.store.saveRoom(this.#state)
  }

  /** Fills the bank of permits up to each start or end of an event, with the limits that applied before it. */
  #catchUp(nowMs: number): void {
    const { filledAtMs } = this.#state.bank
    // A new room has no past. So it sends no notices of events that were over before it began.
    for (const turnMs of filledAtMs === 0 ? [] : this.#settings.turnsBetween(filledAtMs, nowMs)) {
      core.fillUpTo(this.#state, this.#rulesAt(turnMs - 1), turnMs)
      this.#log.turn(this.#settings, turnMs)
      this.alerts.turns(this.rulesOfAlerts(), turnsAt(this.#settings, turnMs), turnMs)
      this.keptReports.turn(this.#settings, turnMs, nowMs)
    }
  }
}
