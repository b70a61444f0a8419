/**
 * The client of one room at one isolate: the object through which the edge reaches a room and its doors, and in which
 * it remembers visitors. All of this memory is bounded, and may be lost at any time.
 */
import type { Quota } from '../../core/gcra.ts'
import type { DoorSpread, Snapshot } from '../../core/protocol/messages.ts'
import { doorRangeOf } from '../../settings/compiled/doors.ts'
import { compile, type RoomSettings } from '../../settings/compiled/room.ts'
import { isDoor, regionOf } from '../../settings/env.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { SUBJECT_DOORS } from '../../tokens/invitations.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import { newShedder, type Shedder } from '../limits/client-throttle.ts'
import type { Spender } from '../limits/isolate-quotas.ts'
import { RequestLimits } from '../limits/limits.ts'
import type { Turns } from '../limits/turns.ts'
import { Claims } from './claims.ts'
import { type Caller, DoorClient } from './door-client.ts'
import { EndedSessions } from './ended-sessions.ts'
import type { Memory } from './memory.ts'
import { Places } from './places.ts'
import { RoomSessions } from './sessions.ts'
import { SnapshotSync } from './snapshot-sync.ts'
import { RoomTokens } from './tokens.ts'
import { Trials } from './trials.ts'
import { Votes } from './votes.ts'

export { type Caller, Unreachable } from './door-client.ts'

/**
 * Multiples of this number, modulo 1, fill [0, 1) more evenly than random numbers do (Weyl). So few arrivals of a burst
 * share a bucket.
 */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** The part of a room that a page needs. */
export type RoomView = Pick<RoomClient, 'name' | 'settings'>

function doorIn({ continent }: Caller, number: number): string {
  return `${regionOf(continent)}-${number}`
}

export class RoomClient {
  readonly name: string
  /** Parts of pages that wait for their turn. */
  readonly turns: Turns
  /** The answers of the origin at this isolate, for `health.shed`. */
  readonly shedder: Shedder = newShedder()
  readonly limits: RequestLimits
  readonly tokens: RoomTokens
  /** The sync: reports of this isolate to the room, and snapshots of the room. */
  readonly sync: SnapshotSync
  readonly sessions: RoomSessions
  readonly ended: EndedSessions
  readonly places: Places
  readonly claims: Claims
  readonly trials: Trials
  readonly votes: Votes
  readonly #doors: DoorClient
  /** The isolate's memory of visitors, for all its rooms. */
  readonly #memory: Memory
  #settings: RoomSettings
  #spread = Math.random()

  constructor(config: RoomConfig, ring: KeyRing, memory: Memory) {
    this.name = config.name
    this.turns = memory.turns
    this.#memory = memory
    this.ended = new EndedSessions(memory)
    this.places = new Places(memory)
    this.trials = new Trials(memory)
    this.tokens = new RoomTokens(config.name, ring, memory)
    this.#settings = compile(config)
    this.#doors = new DoorClient(config.name, () => this.count('calls'))
    this.claims = new Claims(this.#doors, memory)
    this.sync = new SnapshotSync(
      {
        name: config.name,
        homeFor: caller => this.#homeFor(caller),
        beforeReport: () => {
          this.#takeStats()
          this.votes.take(cell => this.count(cell))
        },
        received: settings => this.#received(settings),
      },
      this.#doors,
    )
    this.limits = new RequestLimits(this.sync.isolate.slice(0, 13))
    this.limits.follow(this.#settings)
    this.sessions = new RoomSessions(memory, this.limits, this.#doors)
    this.votes = new Votes(this.sessions, this.sync)
  }

  get settings(): RoomSettings {
    return this.#settings
  }

  get snapshot(): Snapshot | null {
    return this.sync.snapshot
  }

  count(cell: string, by = 1): void {
    this.sync.count(cell, by)
  }

  /** Returns a door for a newcomer, in the visitor's region. If doors were added, it is one of the new ones. */
  doorFor(caller: Caller): string {
    const { count, from } = this.#doorSpread()
    return doorIn(caller, from + Math.floor(Math.random() * (count - from)))
  }

  /** Whether the room may have a door of this name. Any other name would make a new object. */
  mayHaveDoor(door: string): boolean {
    const { most } = doorRangeOf(this.#settings.config)
    return isDoor(door, Math.max(most, SUBJECT_DOORS))
  }

  /** Returns a door for the reports of this isolate: any door of the region. */
  #homeFor(caller: Caller): string {
    return doorIn(caller, Math.floor(Math.random() * this.#doorSpread().count))
  }

  /** Without a snapshot, an isolate uses the lowest number of doors that the settings allow. */
  #doorSpread(): DoorSpread {
    if (this.snapshot) return this.snapshot.doors ?? { count: 1, from: 0 }
    return { count: doorRangeOf(this.#settings.config).least, from: 0 }
  }

  /** Returns the key of an arrival, with three decimals. Arrivals of one millisecond are spread evenly over it. */
  keyAt(nowMs: number): number {
    this.#spread = (this.#spread + GOLDEN_RATIO) % 1
    return nowMs + Math.floor(this.#spread * 1_000) / 1_000
  }

  noteHttps(host: string, nowMs: number): void {
    this.#memory.https.set(host, nowMs)
  }

  /** Returns when a visitor outside last came over https to a host, or minus infinity. */
  lastHttpsMs(host: string): number {
    return this.#memory.https.get(host) ?? Number.NEGATIVE_INFINITY
  }

  /**
   * Spends from a quota that this isolate counts alone, and returns 0. If too little is left, returns the milliseconds
   * to wait.
   */
  spendOrWaitMs(key: string, quota: Quota, nowMs: number, cost = 1): number {
    const verdict = this.#memory.quotas.spend(this.#spenderOf(key), quota, cost, nowMs)
    return verdict.allowed ? 0 : verdict.retryAfterMs
  }

  /** Undoes a spend of a moment ago. */
  giveBack(key: string, quota: Quota, cost: number): void {
    this.#memory.quotas.giveBack(this.#spenderOf(key), quota, cost)
  }

  /** A key is `kind/who`, or only `kind` if the whole isolate shares one quota. */
  #spenderOf(key: string): Spender {
    const slash = key.indexOf('/')
    if (slash < 0) return { kind: `${this.name}/${key}`, who: '' }
    return { kind: `${this.name}/${key.slice(0, slash)}`, who: key.slice(slash + 1) }
  }

  #received(config: RoomConfig | undefined): void {
    if (config) {
      this.#settings = compile(config)
      this.#takeStats()
      this.limits.follow(this.#settings)
    }
    this.claims.noteSync()
  }

  #takeStats(): void {
    this.limits.stats.take((cell, by) => this.count(cell, by))
  }
}
