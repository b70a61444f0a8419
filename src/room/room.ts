/**
 * The Room object: settings, the line, the permits. It reads the clock, lets `core` decide, saves and answers.
 *
 * Whatever a report changes is written before its answer leaves (output gates), so a door never acts on a grant that the
 * room could forget.
 */

import { retryable } from 'cloudflare:durable-objects'
import { DurableObject } from 'cloudflare:workers'
import { showRate } from '../core/frontier.ts'
import { forgetPolicies, limitFigures, otherTotals } from '../core/limit-totals.ts'
import type { DoorReply, DoorReport } from '../core/messages.ts'
import { outOf } from '../core/permits.ts'
import * as core from '../core/room.ts'
import type { Change, ChangeOutcome, ChangeRequest, RoomCalls, RoomDescription, RoomFigures } from '../core/rpc.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { compile, type RoomSettings } from '../settings/compiled.ts'
import { readDeployment } from '../settings/deployment.ts'
import { doorStub, type Env } from '../settings/env.ts'
import { SettingsError } from '../settings/messages.ts'
import { changedOverrides, type Overrides, withOverrides } from '../settings/rooms.ts'
import type { RoomConfig, RuntimeSetting } from '../settings/schema.ts'
import { RoomStore } from './store.ts'

const MINUTE_MS = 60_000

export class Room extends DurableObject<Env> implements RoomCalls<RoomConfig> {
  static {
    // Repeating these gives the same answer; `change` is left out, for its version moves.
    const { sync, describe, changes } = Room.prototype
    retryable(sync, describe, changes)
  }

  readonly #name: string
  readonly #store: RoomStore
  readonly #state: core.RoomState
  readonly #file: RoomConfig
  #overrides: Overrides
  #changeVersion: number
  #settings: RoomSettings
  /** Admissions reported per second of the last minute: [second, count]. */
  #admitted: [atMs: number, count: number][] = []

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#name = ctx.id.name ?? ''
    const file = readDeployment(env).rooms.find(room => room.name === this.#name)
    if (!file) throw new Error(`no room named ${this.#name} in this deployment`)
    this.#file = file
    this.#store = new RoomStore(ctx.storage.sql)
    this.#state = this.#store.load(Date.now())
    const { version, overrides } = this.#store.overrides()
    this.#changeVersion = version
    this.#overrides = overrides
    this.#settings = compile(this.#effective(overrides))
  }

  async sync(report: DoorReport): Promise<DoorReply<RoomConfig> | null> {
    const nowMs = Date.now()
    const before = this.#state.totals.admitted ?? 0
    const outcome = core.sync(this.#state, report, this.#settings.limits, nowMs)
    if (outcome.kind === 'stale') return null
    if (outcome.kind === 'applied') {
      this.#save(report.door, outcome.dirty)
      this.#noteAdmitted((this.#state.totals.admitted ?? 0) - before, nowMs)
      for (const door of outcome.poke) this.#poke(door)
    }
    const { view } = this.#state
    if (!view) throw new Error(`room ${this.#name} has no view after a report`)
    const version = this.#version()
    return {
      epoch: report.epoch,
      seq: report.seq,
      granted: outcome.granted,
      view,
      version,
      ...(report.version === version ? {} : { settings: this.#settings.config }),
    }
  }

  async describe(): Promise<RoomDescription<RoomConfig>> {
    const nowMs = Date.now()
    core.tick(this.#state, this.#settings.limits, nowMs)
    return {
      version: this.#version(),
      settings: this.#settings.config,
      file: this.#file,
      overridden: Object.keys(this.#overrides),
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
    core.tick(this.#state, this.#settings.limits, nowMs)
    this.#settings = settings
    this.#overrides = overrides
    this.#changeVersion++
    this.#state.view = null
    if (setsAnew(request, 'remaining')) core.restock(this.#state, settings.config.remaining)
    forgetPolicies(this.#state.totals, policyNames(settings))
    core.tick(this.#state, settings.limits, nowMs)
    this.#store.recordChange(this.#changeVersion, nowMs, actor, request, overrides)
    this.#store.saveRoom(this.#state)
    for (const door of this.#state.doors.keys()) this.#poke(door)
    return { kind: 'changed', version: this.#version() }
  }

  async changes(): Promise<readonly Change[]> {
    return this.#store.changes()
  }

  #save(door: string, dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    for (const [lane, chunks] of dirty) {
      const line = this.#state.lines.get(lane)
      if (line) this.#store.saveArrivals(lane, line, chunks)
    }
    for (const [lane, line] of this.#state.lines) this.#store.forgetArrivals(lane, line)
    const account = this.#state.doors.get(door)
    if (account) this.#store.saveDoor(door, account)
    this.#store.saveRoom(this.#state)
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
    return `${fingerprint(JSON.stringify(this.#file))}.${this.#changeVersion}`
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

  #noteAdmitted(count: number, nowMs: number): void {
    if (count > 0) this.#admitted.push([nowMs, count])
    this.#admitted = this.#admitted.filter(([atMs]) => nowMs - atMs < MINUTE_MS)
  }

  #figures(nowMs: number): RoomFigures {
    const state = this.#state
    const { live, out } = core.sums(state)
    const line = state.lines.get(MAIN_LANE)
    return {
      active: live,
      permitsOut: out,
      permitsBanked: core.available(state, this.#settings.limits),
      remaining: core.left(state),
      waiting: Math.round(core.waitingTotal(state)),
      standing: core.standing(state, nowMs),
      limits: limitFigures(state.totals, policyNames(this.#settings)),
      totals: otherTotals(state.totals),
      admittedLastMinute: this.#admitted.reduce(
        (sum, [atMs, count]) => sum + (nowMs - atMs < MINUTE_MS ? count : 0),
        0,
      ),
      effectiveRatePerMinute: this.#settings.limits.ratePerMinute,
      burst: core.burst(this.#settings.limits),
      open: state.open,
      held: state.view?.held ?? this.#settings.limits.ratePerMinute <= 0,
      showRate: line ? showRate(line.state.control) : 1,
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

/** FNV-1a: enough to tell two files apart. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}
