/**
 * One isolate's way to its room: it reports what it has counted to one home door, and gets the view and the settings
 * back.
 *
 * At most one report is under way. A failed one leaves the last view.
 */

import { STORAGE_REFUSED } from '../../core/protocol/calls.ts'
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
} from '../../core/protocol/edge.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { CALL_TIMEOUT_MS, type Caller, type Doors, inTime } from './door-client.ts'

/** Without an answer for this long an isolate's counters may be forgotten: it begins a new id. */
const ISOLATE_SILENT_MS = 60_000

/** A door that has answered within this time is one that answers. */
const ANSWERS_FOR_MS = 5_000

/** What the isolate has to do with a report and its answer. */
export interface Linked {
  readonly name: string
  /** Any door of the room that is near. */
  doorFor(caller: Caller): string
  /** A report is about to be written: what is counted elsewhere is to be counted now. */
  beforeReport(): void
  /** The room has answered, with its settings when they were others. */
  heard(config: RoomConfig | undefined): void
}

export class RoomLink {
  readonly #linked: Linked
  readonly #doors: Doors
  #edge: EdgeState<RoomConfig> = newEdge(crypto.randomUUID())
  #home: string | null = null
  #syncing: { readonly done: Promise<void>; readonly sentMs: number } | null = null
  /** How the last report failed, empty when it did not. */
  #failure = ''
  /** When a report was promised that has not been sent, null for none. */
  #trailingSinceMs: number | null = null

  constructor(linked: Linked, doors: Doors) {
    this.#linked = linked
    this.#doors = doors
  }

  get isolate(): string {
    return this.#edge.isolate
  }

  get view(): View | null {
    return this.#edge.view
  }

  count(cell: string, by: number): void {
    this.#edge.tally.add(cell, by)
  }

  hasFailed(nowMs: number): boolean {
    return hasFailed(this.#edge, nowMs)
  }

  /** Waits for a view that may decide about a newcomer. */
  async current(caller: Caller): Promise<void> {
    if (!isCurrent(this.#edge, caller.nowMs)) await this.#sync(caller, caller.nowMs)
  }

  /**
   * Why the room cannot be served, null when it can. Asks a door unless one has answered lately. A door without its
   * room is good enough until `on_room_failure` applies.
   */
  async outage(caller: Caller): Promise<string | null> {
    if (caller.nowMs - this.#edge.viewAtMs > ANSWERS_FOR_MS) await this.current(caller)
    const { viewAtMs, failingSinceMs } = this.#edge
    const silentMs = caller.nowMs - viewAtMs
    if (silentMs <= ANSWERS_FOR_MS) {
      const roomIsSilent = failingSinceMs !== null && this.hasFailed(caller.nowMs)
      return roomIsSilent ? `no answer for ${wholeSeconds(caller.nowMs - failingSinceMs)} s` : null
    }
    const refused = this.#failure.indexOf(STORAGE_REFUSED)
    if (refused >= 0) return this.#failure.slice(refused)
    return viewAtMs > 0 ? `no door has answered for ${wholeSeconds(silentMs)} s` : 'no door has answered yet'
  }

  /** Renews the view in the background when it is about to grow too old. */
  renew(caller: Caller): void {
    if (!wantsRenewal(this.#edge, caller.nowMs)) return
    // One that is under way is enough, and not to be waited for: this request may have ended when it is answered.
    if (this.#syncing && isFresh(this.#syncing.sentMs, caller.nowMs)) return
    void this.#sync(caller, caller.nowMs)
  }

  /**
   * What was counted is reported within a second also when no further request comes: positions of others depend on it.
   */
  report(caller: Caller): void {
    // Whose request was cut off sends none.
    if (this.#trailingSinceMs !== null && isFresh(this.#trailingSinceMs, caller.nowMs)) return
    this.#linked.beforeReport()
    if (!this.#edge.tally.dirty) return
    this.#trailingSinceMs = caller.nowMs
    const waited = new Promise<void>(resolve => setTimeout(resolve, VIEW_FOR_MS)).then(() => {
      this.#trailingSinceMs = null
      this.#linked.beforeReport()
      return this.#edge.tally.dirty ? this.#sync(caller, Date.now()) : undefined
    })
    caller.waitUntil(waited)
  }

  /** One sync at a time. It outlives the request that began it: others wait for the same answer. */
  async #sync(caller: Caller, nowMs: number): Promise<void> {
    const shared = this.#syncing
    if (shared && isFresh(shared.sentMs, nowMs)) return inTime(shared.done).catch(() => undefined)
    const done = this.#syncOnce(caller, nowMs).finally(() => {
      if (this.#syncing?.done === done) this.#syncing = null
    })
    this.#syncing = { done, sentMs: nowMs }
    caller.waitUntil(done)
    await done
  }

  async #syncOnce(caller: Caller, nowMs: number): Promise<void> {
    this.#home ??= this.#linked.doorFor(caller)
    if (nowMs - this.#edge.viewAtMs > ISOLATE_SILENT_MS) this.#beginAnew()
    if (this.#doors.isDown(this.#home, nowMs)) return
    caller.calls.sync++
    this.#linked.beforeReport()
    const edge = this.#edge
    const report = edgeReport(edge, nowMs)
    try {
      const reply = await this.#doors.ask(caller, this.#home, door => door.sync(report))
      this.#failure = ''
      this.#linked.heard(applyEdgeReply(edge, reply, nowMs))
    } catch (error) {
      this.#failure = String(error)
      noAnswer(edge, nowMs)
      this.#doors.noteDown(this.#home, Date.now())
      // A home that stays away is left for another of the room's doors.
      this.#home = null
      console.warn(`room ${this.#linked.name}: no view from a door: ${String(error)}`)
    }
  }

  /** Doors forget an isolate that was silent. What it had not got an answer for goes on under a new name. */
  #beginAnew(): void {
    const { view, settings, version, viewAtMs, failingSinceMs, tally } = this.#edge
    if (viewAtMs === Number.NEGATIVE_INFINITY) return
    this.#edge = { ...newEdge<RoomConfig>(crypto.randomUUID()), view, settings, version, viewAtMs, failingSinceMs }
    for (const [cell, by] of tally.entries()) this.#edge.tally.add(cell, by)
  }
}

/** An answer that others wait for is shared only while it can still come: its request may have been cut off. */
function isFresh(sentMs: number, nowMs: number): boolean {
  return nowMs - sentMs < CALL_TIMEOUT_MS
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1_000)
}
