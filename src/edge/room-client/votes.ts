/**
 * The votes of one isolate on the health of a room's origin, until they are reported.
 *
 * Each session with a request is also noted once a window. So the room knows how many of the sessions inside are there.
 */
import { ORIGIN, type Outcome, WINDOW_MS } from '../../core/health/outcome.ts'
import { isVoter, lotOfSession, NEWCOMERS_LOT } from '../../core/health/votes.ts'
import { Ballots, type Sampled } from './ballots.ts'
import type { Caller } from './door-client.ts'
import type { SessionMemory } from './memory.ts'
import type { RoomSessions } from './sessions.ts'
import type { SnapshotSync } from './snapshot-sync.ts'

export class Votes {
  readonly #ballots = new Ballots()
  readonly #sessions: RoomSessions
  readonly #sync: SnapshotSync
  #reportedWindow = 0

  constructor(sessions: RoomSessions, sync: SnapshotSync) {
    this.#sessions = sessions
    this.#sync = sync
  }

  /**
   * Notes that a session has a request, and returns its lot and samples. Returns null for a session that does not vote.
   * The session is looked up once. So if it ends meanwhile, its open requests do not create it anew.
   */
  voter(sid: string, justIn: boolean, { nowMs }: Caller): Pick<Sampled, 'lot' | 'own'> | null {
    if (!isVoter(sid, this.#sync.snapshot?.voterShare ?? 1)) return null
    const session = this.#sessions.peek(sid) ?? this.#sessions.of(sid)
    if (justIn) return { lot: NEWCOMERS_LOT, own: session.samples }
    const lot = lotOfSession(sid)
    this.#noteHere(session, lot, nowMs)
    return { lot, own: session.samples }
  }

  /** Notes a session whose request is blocked, because its visitor is there. */
  noteBlocked(sid: string, caller: Caller): void {
    if (this.voter(sid, false, caller)) this.report(caller, false)
  }

  /** Notes an answer from a named upstream which is not a sample. */
  note(upstream: string, lot: number, sentMs: number): void {
    this.#ballots.note(upstream, lot, sentMs)
  }

  add(sampled: Sampled, outcome: Outcome, nowMs: number): void {
    this.#ballots.add(sampled, outcome, nowMs)
  }

  turnFailed(sampled: Sampled, nowMs: number): void {
    this.#ballots.turnFailed(sampled, nowMs)
  }

  /** Reports the votes within a second: at once if that is urgent, otherwise once in each window. */
  report(caller: Caller, isUrgent: boolean): void {
    const window = Math.floor(caller.nowMs / WINDOW_MS)
    if (!isUrgent && window === this.#reportedWindow) return
    this.#reportedWindow = window
    this.#sync.report(caller)
  }

  /** Puts the votes that are not reported yet into the next report. */
  take(put: (cell: string) => void): void {
    this.#ballots.take(put)
  }

  #noteHere(session: SessionMemory, lot: number, nowMs: number): void {
    const window = Math.floor(nowMs / WINDOW_MS)
    if (session.notedWindow === window) return
    session.notedWindow = window
    this.#ballots.note(ORIGIN, lot, nowMs)
  }
}
