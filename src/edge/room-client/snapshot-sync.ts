/**
 * The sync of one isolate with its room. It reports the isolate's counts to one door, its home, and gets back the
 * snapshot and the settings.
 *
 * At most one report is under way. If a report fails, the last snapshot stays.
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
  wantsNewSnapshot,
} from '../../core/protocol/edge.ts'
import type { Snapshot } from '../../core/protocol/messages.ts'
import { ISOLATE_SILENT_MS, SNAPSHOT_FOR_MS } from '../../core/timing.ts'
import { log } from '../../runtime/log.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { CALL_TIMEOUT_MS, type Caller, type DoorClient, inTime } from './door-client.ts'

/** A door that answered within this time is assumed to answer now. */
const ANSWERS_FOR_MS = 5_000

/** The parts of the isolate that a report and its answer need. */
interface SyncedRoom {
  readonly name: string
  /** Returns a door of the room that is near. */
  homeFor(caller: Caller): string
  /** Called before a report is written. It adds counts that are kept elsewhere. */
  beforeReport(): void
  /** Called when the room has answered. `config` is given only if the settings have changed. */
  received(config: RoomConfig | undefined): void
}

export class SnapshotSync {
  readonly #room: SyncedRoom
  readonly #doors: DoorClient
  #edge: EdgeState<RoomConfig> = newEdge(crypto.randomUUID())
  #home: string | null = null
  #syncing: { readonly done: Promise<void>; readonly sentMs: number } | null = null
  /** Why the last report failed; empty if it did not. */
  #failure = ''
  /** Since when no report has been answered; null while reports are answered. */
  #silentSinceMs: number | null = null
  /** When the next report was scheduled; null if none is scheduled, or it was sent. */
  #trailingSinceMs: number | null = null

  constructor(room: SyncedRoom, doors: DoorClient) {
    this.#room = room
    this.#doors = doors
  }

  get isolate(): string {
    return this.#edge.isolate
  }

  get snapshot(): Snapshot | null {
    return this.#edge.snapshot
  }

  /** Returns the age of the snapshot. Returns null while no door has ever answered. */
  snapshotAgeMs(nowMs: number): number | null {
    return this.snapshot === null ? null : Math.max(0, nowMs - this.#edge.snapshotAtMs)
  }

  count(cell: string, by: number): void {
    this.#edge.tally.add(cell, by)
  }

  /** Whether the room has been silent for so long that `on_room_failure` applies. */
  hasFailed(nowMs: number): boolean {
    return hasFailed(this.#edge, nowMs)
  }

  /** Waits for a snapshot that is new enough to decide about a newcomer. If the sync fails, the last snapshot stays. */
  async current(caller: Caller): Promise<void> {
    if (!isCurrent(this.#edge, caller.nowMs)) await this.#sync(caller, caller.nowMs)
  }

  /**
   * Returns why the room cannot be served, or null if it can. Asks a door, unless one has answered lately. A door that
   * cannot reach its room is good enough until `on_room_failure` applies.
   */
  async outage(caller: Caller): Promise<string | null> {
    if (caller.nowMs - this.#edge.snapshotAtMs > ANSWERS_FOR_MS) await this.current(caller)
    const { snapshotAtMs, failingSinceMs } = this.#edge
    const silentMs = caller.nowMs - snapshotAtMs
    if (silentMs <= ANSWERS_FOR_MS) {
      const roomIsSilent = failingSinceMs !== null && this.hasFailed(caller.nowMs)
      return roomIsSilent ? `no answer for ${wholeSeconds(caller.nowMs - failingSinceMs)} s` : null
    }
    const refused = this.#failure.indexOf(STORAGE_REFUSED)
    if (refused >= 0) return this.#failure.slice(refused)
    return snapshotAtMs > 0 ? `no door has answered for ${wholeSeconds(silentMs)} s` : 'no door has answered yet'
  }

  /** Fetches a new snapshot in the background, if the present one will soon be too old. */
  refreshInBackground(caller: Caller): void {
    if (!wantsNewSnapshot(this.#edge, caller.nowMs)) return
    // One sync under way is enough. This request does not wait for it, because it may be over when the answer comes.
    if (this.#syncing && isFresh(this.#syncing.sentMs, caller.nowMs)) return
    void this.#sync(caller, caller.nowMs)
  }

  /**
   * Reports the counts within a second, even if no further request comes: the positions of other visitors depend on
   * them.
   */
  report(caller: Caller): void {
    // A request that was cut off never sends its report, so an old schedule does not count.
    if (this.#trailingSinceMs !== null && isFresh(this.#trailingSinceMs, caller.nowMs)) return
    this.#room.beforeReport()
    if (!this.#edge.tally.dirty) return
    this.#trailingSinceMs = caller.nowMs
    const waited = new Promise<void>(resolve => setTimeout(resolve, SNAPSHOT_FOR_MS)).then(() => {
      this.#trailingSinceMs = null
      this.#room.beforeReport()
      return this.#edge.tally.dirty ? this.#sync(caller, Date.now()) : undefined
    })
    caller.waitUntil(waited)
  }

  /**
   * Syncs, one call at a time. The call outlives the request that began it, and other requests wait for the same
   * answer.
   */
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
    this.#home ??= this.#room.homeFor(caller)
    const home = this.#home
    if (nowMs - this.#edge.snapshotAtMs > ISOLATE_SILENT_MS) this.#beginAnew()
    if (this.#doors.isDown(home, nowMs)) return
    caller.calls.sync++
    this.#room.beforeReport()
    const edge = this.#edge
    const report = edgeReport(edge, nowMs)
    try {
      const reply = await this.#doors.ask(caller, home, door => door.sync(report))
      this.#failure = ''
      this.#noteBack(home, nowMs)
      const doors = edge.snapshot?.doors?.count
      this.#room.received(applyEdgeReply(edge, reply, nowMs))
      // The door has answered for all counts, so with another home no count is applied twice.
      if (edge.snapshot?.doors?.count !== doors) this.#home = null
    } catch (error) {
      this.#failure = String(error)
      this.#noteSilent(home, nowMs)
      noAnswer(edge, nowMs)
      this.#doors.noteDown(home, Date.now())
      // A home that does not answer is replaced by another door of the room.
      this.#home = null
    }
  }

  /** Logs the first report without an answer, and the first one that is answered again. */
  #noteSilent(door: string, nowMs: number): void {
    if (this.#silentSinceMs !== null) return
    this.#silentSinceMs = nowMs
    log('door-silent', { room: this.#room.name, door, seenBy: 'edge', detail: this.#failure })
  }

  #noteBack(door: string, nowMs: number): void {
    if (this.#silentSinceMs === null) return
    log('door-back', { room: this.#room.name, door, seenBy: 'edge', silentMs: nowMs - this.#silentSinceMs })
    this.#silentSinceMs = null
  }

  /** Doors forget an isolate that is silent for long. So its unconfirmed counts go on under a new id. */
  #beginAnew(): void {
    const { snapshot, settings, version, snapshotAtMs, failingSinceMs, tally } = this.#edge
    if (snapshotAtMs === Number.NEGATIVE_INFINITY) return
    this.#edge = {
      ...newEdge<RoomConfig>(crypto.randomUUID()),
      snapshot,
      settings,
      version,
      snapshotAtMs,
      failingSinceMs,
    }
    for (const [cell, by] of tally.entries()) this.#edge.tally.add(cell, by)
  }
}

/**
 * True if an answer can still come. Other requests share only such a sync, because the request that began it may have
 * been cut off.
 */
function isFresh(sentMs: number, nowMs: number): boolean {
  return nowMs - sentMs < CALL_TIMEOUT_MS
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1_000)
}
