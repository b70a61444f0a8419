/** Remembers the events that a room has logged, so that the beginning and the end of each event are logged once. */
import type { Decision } from '../core/history/decisions.ts'
import type { Snapshot } from '../core/protocol/messages.ts'
import { log } from '../runtime/log.ts'
import type { RoomSettings } from '../settings/compiled/room.ts'

export interface EventTurn {
  readonly turn: 'prequeue-begun' | 'event-begun' | 'event-ended'
  readonly name: string
}

export class RoomLog {
  readonly room: string
  #isSoldOut: boolean
  /** Doors that did not answer, and have not reported since. */
  readonly #silent = new Set<string>()

  constructor(room: string, isSoldOut: boolean) {
    this.room = room
    this.#isSoldOut = isSoldOut
  }

  /** Notes that a door has reported. The snapshot is the room's after the report. */
  reported(door: string, { soldOut: isSoldOut = false }: Pick<Snapshot, 'soldOut'>): void {
    if (this.#silent.delete(door)) log('door-back', { room: this.room, door, seenBy: 'room' })
    if (isSoldOut !== this.#isSoldOut) log(isSoldOut ? 'sold-out' : 'in-stock', { room: this.room })
    this.#isSoldOut = isSoldOut
  }

  health({ upstream, did: { kind, ...did }, saw, enforced }: Decision): void {
    log(kind, { room: this.room, upstream, ...did, saw, enforced })
  }

  doorSilent(door: string, error: unknown): void {
    if (this.#silent.has(door)) return
    this.#silent.add(door)
    log('door-silent', { room: this.room, door, seenBy: 'room', detail: String(error) })
  }

  /** How many doors did not answer, and have not reported since. */
  get silentDoors(): number {
    return this.#silent.size
  }

  /** Logs that the settings in force have changed at this moment, because an event has begun or ended. */
  turn(settings: RoomSettings, atMs: number): void {
    for (const { turn, name } of turnsAt(settings, atMs)) log(turn, { room: this.room, name })
  }
}

/** Returns which events begin and end at this moment. */
export function turnsAt(settings: RoomSettings, atMs: number): EventTurn[] {
  const before = settings.at(atMs - 1).event
  const now = settings.at(atMs).event
  const isSame = before?.name === now?.name
  const ended: EventTurn[] = before && !before.isPrequeue && !isSame ? [{ turn: 'event-ended', name: before.name }] : []
  if (!now || (isSame && before?.isPrequeue === now.isPrequeue)) return ended
  return [...ended, { turn: now.isPrequeue ? 'prequeue-begun' : 'event-begun', name: now.name }]
}
