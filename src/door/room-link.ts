/**
 * A door's link to its room. It sends one report at a time, every second while there is something to report. The
 * answers bring the live settings.
 */
import type { DoorReply, DoorReport } from '../core/protocol/messages.ts'
import { DOOR_REPORTS_EVERY_MS } from '../core/timing.ts'
import { log } from '../runtime/log.ts'
import { within } from '../runtime/within.ts'
import { compile, type RoomSettings } from '../settings/compiled/room.ts'
import type { RoomConfig } from '../settings/schema.ts'

/** After this time a sync counts as failed. If the answer comes later, it is still applied. */
const SYNC_TIMEOUT_MS = 2_000
/**
 * A door with nothing to report asks for the live settings this often. The room also announces each change at once, but
 * that hint may get lost.
 */
const SETTINGS_EVERY_MS = 10_000

/** The calls of the link: to the door at one end, and to the room at the other. */
interface LinkEnds {
  readonly room: string
  readonly door: string
  report(version: string, nowMs: number): DoorReport
  /** Sends a report to the room. The room answers null to a stale report. */
  send(report: DoorReport): Promise<DoorReply<RoomConfig> | null>
  apply(reply: DoorReply<RoomConfig>): void
  owesReport(nowMs: number): boolean
}

export class RoomLink {
  readonly #ends: LinkEnds
  #settings: RoomSettings
  #version = ''
  /** Why the last sync failed. */
  #whyNot = 'no answer in time'
  /**
   * When the last answered report was sent. -Infinity while this incarnation knows only the settings of the deployed
   * file.
   */
  #answeredAtMs = Number.NEGATIVE_INFINITY
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** When the first unanswered report was sent, null while the room answers. */
  #failingSinceMs: number | null = null
  #inFlight: Promise<boolean> | null = null
  #timer: number | null = null

  /** The settings of the deployed file apply until the room has answered. */
  constructor(ends: LinkEnds, config: RoomConfig) {
    this.#ends = ends
    this.#settings = compile(config)
  }

  get settings(): RoomSettings {
    return this.#settings
  }

  get version(): string {
    return this.#version
  }

  get whyNot(): string {
    return this.#whyNot
  }

  /** The time at which the last answered report was sent. */
  get answeredAtMs(): number {
    return this.#answeredAtMs
  }

  /** Returns for how many milliseconds the room has not answered, 0 while it does. */
  silentMs(nowMs: number): number {
    return this.#failingSinceMs === null ? 0 : Math.max(1, nowMs - this.#failingSinceMs)
  }

  /**
   * Sends one report and applies the answer, or waits for the sync that is under way. Returns false when no answer came
   * in time.
   */
  sync(): Promise<boolean> {
    if (this.#inFlight) return this.#inFlight
    const sentMs = Date.now()
    this.#askedAtMs = sentMs
    const report = this.#ends.report(this.#version, sentMs)
    const inFlight = within(SYNC_TIMEOUT_MS, this.#exchange(report, sentMs)).then(answer => answer === true)
    this.#inFlight = inFlight
    void inFlight.then(answeredInTime => {
      this.#inFlight = null
      this.#noteAnswer(answeredInTime, sentMs)
    })
    return inFlight
  }

  /** Sends a report that begins now. A report that is under way may lack the newest changes. */
  async syncAnew(): Promise<void> {
    await this.#inFlight
    await this.sync()
  }

  /**
   * Waits for the room's first answer to this incarnation, unless the last sync failed. The live settings in it decide
   * which sessions are active. Later the settings are refreshed in the background.
   */
  async waitForSettings(): Promise<void> {
    const hasAnswered = this.#answeredAtMs > Number.NEGATIVE_INFINITY
    if (!hasAnswered && this.#failingSinceMs === null) await this.sync()
    else if (Date.now() - this.#askedAtMs >= SETTINGS_EVERY_MS) void this.sync()
  }

  /** Syncs every second while there is something to report. */
  keepGoing(): void {
    if (this.#timer || !this.#ends.owesReport(Date.now())) return
    this.#timer = setTimeout(async () => {
      await this.sync()
      this.#timer = null
      this.keepGoing()
    }, DOOR_REPORTS_EVERY_MS)
  }

  /** Logs the first sync without an answer, and the first one that is answered again. */
  #noteAnswer(isAnswered: boolean, sentMs: number): void {
    const sinceMs = this.#failingSinceMs
    const { room, door } = this.#ends
    if (!isAnswered && sinceMs === null) log('room-silent', { room, door, seenBy: 'door', detail: this.#whyNot })
    if (isAnswered && sinceMs !== null) log('room-back', { room, door, seenBy: 'door', silentMs: sentMs - sinceMs })
    this.#failingSinceMs = isAnswered ? null : (sinceMs ?? sentMs)
  }

  async #exchange(report: DoorReport, sentMs: number): Promise<boolean> {
    try {
      const reply = await this.#ends.send(report)
      if (!reply) return false
      if (reply.settings) {
        this.#settings = compile(reply.settings)
        this.#version = reply.version
      }
      this.#answeredAtMs = Math.max(this.#answeredAtMs, sentMs)
      this.#ends.apply(reply)
      return true
    } catch (error) {
      this.#whyNot = String(error)
      return false
    }
  }
}
