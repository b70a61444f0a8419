/**
 * The Room object: settings, the line, the permits. It reads the clock, lets `core` decide, saves and answers.
 *
 * Whatever a report changes is written before its answer leaves (output gates), so a door never acts on a grant that the
 * room could forget.
 */

import { retryable } from 'cloudflare:durable-objects'
import { DurableObject } from 'cloudflare:workers'
import { commit } from '../core/event-draws.ts'
import { turnOf } from '../core/events.ts'
import { showRate } from '../core/frontier.ts'
import { fnv1a } from '../core/hash.ts'
import type { Load } from '../core/health/controller.ts'
import { shareOf } from '../core/lanes.ts'
import { forgetPolicies, limitFigures, otherTotals } from '../core/limit-totals.ts'
import { waiting } from '../core/line.ts'
import type { DoorReply, DoorReport, View } from '../core/messages.ts'
import { outOf } from '../core/permits.ts'
import * as core from '../core/room.ts'
import type {
  Change,
  ChangeOutcome,
  ChangeRequest,
  HealthReport,
  PublicDraw,
  RoomCalls,
  RoomDescription,
  RoomFigures,
} from '../core/rpc.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { compile, type RoomSettings } from '../settings/compiled.ts'
import { withoutPages } from '../settings/custom-page.ts'
import { type Deployment, readDeployment } from '../settings/deployment.ts'
import { doorStub, type Env } from '../settings/env.ts'
import { SettingsError } from '../settings/messages.ts'
import { changedOverrides, type Overrides, withOverrides } from '../settings/rooms.ts'
import type { RoomConfig, RuntimeSetting } from '../settings/schema.ts'
import { latestOfEach, newSeed, published } from './draws.ts'
import { RoomHealth } from './health.ts'
import { probe, probeUrl } from './probe.ts'
import { RoomStore } from './store.ts'

const MINUTE_MS = 60_000

export class Room extends DurableObject<Env> implements RoomCalls<RoomConfig> {
  static {
    // Repeating these gives the same answer; `change` is left out, for its version moves.
    const { sync, describe, changes, draw, health } = Room.prototype
    retryable(sync, describe, changes, draw, health)
  }

  readonly #name: string
  readonly #store: RoomStore
  readonly #state: core.RoomState
  readonly #file: RoomConfig
  readonly #deployment: Deployment
  readonly #health: RoomHealth
  #overrides: Overrides
  #changeVersion: number
  #settings: RoomSettings
  /** What doors were told of the origin's health when they were last called to hear it. */
  #told = ''
  /** When each upstream was last probed. */
  readonly #probedAtMs = new Map<string, number>()
  /** Admissions reported per second of the last minute: [second, count]. */
  #admitted: [atMs: number, count: number][] = []

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#name = ctx.id.name ?? ''
    this.#deployment = readDeployment(env)
    const file = this.#deployment.rooms.find(room => room.name === this.#name)
    if (!file) throw new Error(`no room named ${this.#name} in this deployment`)
    this.#file = file
    this.#store = new RoomStore(ctx.storage.sql)
    this.#state = this.#store.load(Date.now())
    this.#health = new RoomHealth(ctx.storage.sql, Date.now())
    const { version, overrides } = this.#store.overrides()
    this.#changeVersion = version
    this.#overrides = overrides
    this.#settings = compile(this.#effective(overrides))
    this.#commit(Date.now())
  }

  async sync(report: DoorReport): Promise<DoorReply<RoomConfig> | null> {
    const nowMs = Date.now()
    const before = this.#state.totals.admitted ?? 0
    this.#catchUp(nowMs)
    const outcome = core.sync(this.#state, report, this.#limitsAt(nowMs), nowMs)
    if (outcome.kind === 'stale') return null
    if (outcome.kind === 'applied') {
      this.#save(report.door, outcome.dirty)
      this.#noteAdmitted((this.#state.totals.admitted ?? 0) - before, nowMs)
      for (const door of outcome.poke) this.#poke(door)
      this.#health.hear(outcome.health, this.#settings.health, nowMs)
    }
    this.#followHealth(nowMs)
    const view = this.#view(nowMs)
    if (!view) throw new Error(`room ${this.#name} has no view after a report`)
    const version = this.#version()
    return {
      epoch: report.epoch,
      seq: report.seq,
      granted: outcome.granted,
      view,
      version,
      ...(outcome.lanes ? { lanes: outcome.lanes } : {}),
      ...(report.version === version ? {} : { settings: this.#settings.config }),
    }
  }

  async describe(): Promise<RoomDescription<RoomConfig>> {
    const nowMs = Date.now()
    this.#passTime(nowMs)
    return {
      version: this.#version(),
      settings: this.#settings.config,
      file: this.#file,
      overridden: Object.keys(this.#overrides),
      draws: await Promise.all(latestOfEach(this.#state.events.draws).map(draw => published(draw, nowMs))),
      figures: this.#figures(nowMs),
      nowMs,
    }
  }

  async change(request: ChangeRequest, ifVersion: string | null, actor: string): Promise<ChangeOutcome> {
    if (ifVersion !== null && ifVersion !== this.#version()) return { kind: 'outdated', version: this.#version() }
    const nowMs = Date.now()
    let settings: RoomSettings
    let overrides: Overrides
    try {
      overrides = changedOverrides(this.#overrides, request, this.#file)
      settings = compile(withOverrides(this.#file, overrides))
    } catch (error) {
      if (error instanceof SettingsError) return { kind: 'invalid', problems: error.problems }
      throw error
    }
    // Time up to now belongs to the old rate.
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#limitsAt(nowMs), nowMs)
    this.#settings = settings
    this.#overrides = overrides
    this.#changeVersion++
    this.#state.view = null
    if (setsAnew(request, 'remaining')) core.restock(this.#state, settings.config.remaining)
    commit(this.#state.events, settings.events, newSeed, nowMs)
    forgetPolicies(this.#state.totals, policyNames(settings))
    core.tick(this.#state, this.#limitsAt(nowMs), nowMs)
    this.#store.recordChange(this.#changeVersion, nowMs, actor, withoutPages(request), overrides)
    this.#saveArrivals(core.takeDirty(this.#state))
    this.#store.saveRoom(this.#state)
    for (const door of this.#state.doors.keys()) this.#poke(door)
    return { kind: 'changed', version: this.#version() }
  }

  async changes(): Promise<readonly Change[]> {
    return this.#store.changes()
  }

  async health(minutes: number): Promise<HealthReport> {
    const nowMs = Date.now()
    this.#followHealth(nowMs)
    return this.#health.report(this.#figures(nowMs).health, minutes, nowMs)
  }

  /** Asks upstreams in trouble how they are, as often as their probes say. */
  override async alarm(): Promise<void> {
    const { health, config } = this.#settings
    await Promise.all(
      this.#health.toProbe(health).map(async upstream => {
        const asked = health.probes.get(upstream.name)
        const url = asked ? probeUrl(config, asked.path, this.#deployment) : null
        const nowMs = Date.now()
        if (!asked || url === null || nowMs < this.#nextProbeMs(upstream.name, asked.interval)) return
        this.#probedAtMs.set(upstream.name, nowMs)
        const tookMs = await probe(url, config, asked, this.env)
        this.#health.probed(upstream, tookMs, asked.targetMs, this.#load(nowMs), health, Date.now())
      }),
    )
    this.#followHealth(Date.now())
    await this.#probeSoon()
  }

  /** The operator's limits, lowered to what the origin bears. */
  #limitsAt(nowMs: number): core.RoomRules {
    return this.#health.limits(this.#operatorLimitsAt(nowMs), this.#settings.health, nowMs)
  }

  #load(nowMs: number): Load {
    const hasDemand = !this.#state.open || core.standing(this.#state, nowMs) > 0
    return { inside: core.sums(this.#state).live, hasDemand }
  }

  #view(nowMs: number): View | null {
    const { view } = this.#state
    const health = this.#health.view(this.#load(nowMs), this.#settings.health, nowMs)
    return view && health ? { ...view, health } : view
  }

  /** Lets health follow the clock; doors that are silent must hear when a breaker opens or closes. */
  #followHealth(nowMs: number): void {
    const { health } = this.#settings
    this.#health.advance(this.#load(nowMs), this.#operatorLimitsAt(nowMs), health, nowMs)
    const told = JSON.stringify(this.#health.view(this.#load(nowMs), health, nowMs)?.breakers ?? {})
    if (told === this.#told) return
    this.#told = told
    for (const door of this.#state.doors.keys()) this.#poke(door)
    this.ctx.waitUntil(this.#probeSoon())
  }

  /** An alarm outlives this object's memory: a probe is due also after a restart. */
  async #probeSoon(): Promise<void> {
    const { health, config } = this.#settings
    const due = this.#health.toProbe(health).flatMap(({ name }) => {
      const asked = health.probes.get(name)
      const isReachable = asked && probeUrl(config, asked.path, this.#deployment) !== null
      return isReachable ? [this.#nextProbeMs(name, asked.interval)] : []
    })
    if (due.length === 0) return
    await this.ctx.storage.setAlarm(Math.max(Date.now(), Math.min(...due)))
  }

  #nextProbeMs(upstream: string, intervalSeconds: number): number {
    return (this.#probedAtMs.get(upstream) ?? 0) + intervalSeconds * 1_000
  }

  async draw(event: string): Promise<PublicDraw | null> {
    const nowMs = Date.now()
    this.#passTime(nowMs)
    const draw = this.#state.events.draws.findLast(other => other.event === event)
    return draw ? published(draw, nowMs) : null
  }

  /** What the operator's settings and events say for this moment. */
  #operatorLimitsAt(nowMs: number): core.RoomRules {
    return this.#settings.at(nowMs).limits
  }

  /** Without a report. A start that happens now is durable before anybody hears of it. */
  #passTime(nowMs: number): void {
    const { events } = this.#state
    const before = turnOf(events)
    this.#followHealth(nowMs)
    this.#catchUp(nowMs)
    core.tick(this.#state, this.#limitsAt(nowMs), nowMs)
    if (turnOf(events) !== before) this.#store.saveRoom(this.#state)
  }

  /** Time up to the start or the end of an event belongs to the limits before it. */
  #catchUp(nowMs: number): void {
    for (const turnMs of this.#settings.turnsBetween(this.#state.bank.filledAtMs, nowMs)) {
      core.fillUpTo(this.#state, this.#limitsAt(turnMs - 1), turnMs)
    }
  }

  /** Every event that shuffles has its seed before anybody can ask for it, and keeps it. */
  #commit(nowMs: number): void {
    const before = JSON.stringify(this.#state.events)
    commit(this.#state.events, this.#settings.events, newSeed, nowMs)
    if (JSON.stringify(this.#state.events) !== before) this.#store.saveRoom(this.#state)
  }

  #save(door: string, dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    this.#saveArrivals(dirty)
    for (const [lane, line] of this.#state.lines) this.#store.forgetArrivals(lane, line)
    const account = this.#state.doors.get(door)
    if (account) this.#store.saveDoor(door, account)
    this.#store.saveRoom(this.#state)
  }

  #saveArrivals(dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    for (const [lane, chunks] of dirty) {
      const line = this.#state.lines.get(lane)
      if (line) this.#store.saveArrivals(lane, line, chunks)
    }
  }

  /** A hint, sent in the background: a door that misses it hears at its next sync. */
  #poke(door: string): void {
    this.ctx.waitUntil(
      doorStub(this.env, this.#name, door)
        .poke()
        .catch((error: unknown) => console.warn(`room ${this.#name} could not poke ${door}: ${String(error)}`)),
    )
  }

  /** Changes with the deployed file and with every live change, so that each edge knows when it has the wrong settings. */
  #version(): string {
    return `${fnv1a(JSON.stringify(this.#file)).toString(36)}.${this.#changeVersion}`
  }

  /** Stored changes may not fit a new file: then the file alone is in force, and the log says so. */
  #effective(overrides: Overrides): RoomConfig {
    try {
      return withOverrides(this.#file, overrides)
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      console.error(
        `live changes of room ${this.#name} do not fit its file any more and are not in force: ${error.message}`,
      )
      this.#overrides = {}
      return this.#file
    }
  }

  /** Each lane that the settings name, and the main one; nothing in a room without lanes. */
  #lanes(nowMs: number): RoomFigures['lanes'] {
    const state = this.#state
    const { limits } = this.#settings
    const { lanes = [] } = limits
    const admitted = (lane: string) => state.totals[`admitted/${lane}`] ?? 0
    const elsewhere = Object.keys(state.totals).filter(name => name.startsWith('admitted/'))
    const inMain = elsewhere.reduce((rest, name) => rest - (state.totals[name] ?? 0), state.totals.admitted ?? 0)
    const names = lanes.length === 0 ? [] : [MAIN_LANE, ...lanes.map(({ name }) => name)]
    return names.map(name => {
      const line = state.lines.get(name)
      return {
        name,
        share: Math.round(shareOf(lanes, name) * 1_000) / 1_000,
        waiting: line ? Math.round(waiting(line)) : 0,
        standing: core.standingIn(state, limits, name, nowMs),
        admitted: Math.max(0, name === MAIN_LANE ? inMain : admitted(name)),
      }
    })
  }

  #noteAdmitted(count: number, nowMs: number): void {
    if (count > 0) this.#admitted.push([nowMs, count])
    this.#admitted = this.#admitted.filter(([atMs]) => nowMs - atMs < MINUTE_MS)
  }

  #figures(nowMs: number): RoomFigures {
    const state = this.#state
    const { live, out } = core.sums(state)
    const line = state.lines.get(MAIN_LANE)
    const limits = this.#limitsAt(nowMs)
    return {
      active: live,
      permitsOut: out,
      permitsBanked: core.available(state, limits),
      remaining: core.left(state),
      waiting: Math.round(core.waitingTotal(state)),
      entries: state.events.draws.find(({ id }) => id === state.events.hold?.draw)?.entries ?? 0,
      standing: core.standing(state, nowMs),
      limits: limitFigures(state.totals, policyNames(this.#settings)),
      totals: otherTotals(state.totals),
      admittedLastMinute: this.#admitted.reduce(
        (sum, [atMs, count]) => sum + (nowMs - atMs < MINUTE_MS ? count : 0),
        0,
      ),
      effectiveRatePerMinute: limits.ratePerMinute,
      totalActiveUsers: limits.totalActiveUsers,
      burst: core.burst(limits),
      open: state.open,
      held: state.view?.held ?? limits.ratePerMinute <= 0,
      health: this.#health.figures(this.#operatorLimitsAt(nowMs), this.#load(nowMs), this.#settings.health, nowMs),
      showRate: line ? showRate(line.state.control) : 1,
      lanes: this.#lanes(nowMs),
      doors: [...state.doors].map(([name, door]) => ({
        name,
        active: door.live,
        permitsOut: outOf(door),
        standing: door.demand.reduce((sum, demand) => sum + demand.standing, 0),
        admitted: door.spent,
        heardMsAgo: nowMs - door.heardAtMs,
      })),
    }
  }
}

function policyNames({ config }: RoomSettings): readonly string[] {
  return config.rate_limits.map(({ name }) => name)
}

/** A budget begins anew when it is set, also to the number that it had. */
function setsAnew(request: ChangeRequest, setting: RuntimeSetting): boolean {
  if ('set' in request) return typeof request.set === 'object' && request.set !== null && setting in request.set
  return request.reset === 'all' || request.reset.includes(setting)
}
