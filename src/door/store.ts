/** A door's SQLite: its sessions, and the few facts that outlive its memory. No database row leaves this file. */

import type { Pause } from '../core/door/clock-freeze.ts'
import type { SessionStore } from '../core/door/door.ts'
import { SessionEnds } from '../core/door/session-ends.ts'
import type { DebtStore, StoredDebt } from '../core/limits/ledger.ts'
import type { Session, SessionRules } from '../core/session.ts'
import { prunableBefore } from '../core/session.ts'
import { SKEW_MS } from '../core/ticket.ts'
import { migrate } from '../runtime/migrations.ts'
import { TRANSFERS_TABLE } from './transfers.ts'

export const DOOR_MIGRATIONS = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
   CREATE TABLE sessions (
     sid TEXT PRIMARY KEY,
     key REAL NOT NULL,
     lane TEXT NOT NULL,
     admitted_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL,
     ended TEXT,
     returned INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX sessions_by_end ON sessions (expires_ms);`,
  `CREATE TABLE debts (
     sid TEXT NOT NULL,
     bucket TEXT NOT NULL,
     tat_ms REAL NOT NULL,
     interval_ms REAL NOT NULL,
     PRIMARY KEY (sid, bucket)
   ) WITHOUT ROWID;`,
  // A session that was admitted before these columns existed may return to the front once.
  `ALTER TABLE sessions ADD COLUMN ends_by_time INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sessions ADD COLUMN is_reentry INTEGER NOT NULL DEFAULT 0;`,
  // Older code works without the index, though slower.
  'DROP INDEX IF EXISTS sessions_by_end;',
  TRANSFERS_TABLE,
]

/** Old rows are deleted in portions of this size, so that no single alarm takes long. */
const PRUNED_AT_ONCE = 1_000
/** Drained debts are deleted this often, by a scan. An index on their times would need a second write for each debt. */
const DRAINED_EVERY_MS = 60_000

type SessionRow = {
  sid: string
  key: number
  lane: string
  admitted_ms: number
  expires_ms: number
  ended: string | null
  returned: number
  ends_by_time: number
  is_reentry: number
}

export class DoorStore implements SessionStore, DebtStore {
  readonly #sql: SqlStorage
  /** The ends of the sessions that `#live` counts. */
  readonly #ends = new SessionEnds()
  /** The number of places taken at `#settledMs`. */
  #live: number
  /** Sessions that ended up to this time are no longer counted in `#live`. This time never moves back. */
  #settledMs: number
  #drainedMs = 0
  /** The last sid that was checked in the present pass through all sessions. */
  #prunedTo = ''

  constructor(sql: SqlStorage, nowMs: number) {
    migrate(sql, DOOR_MIGRATIONS)
    this.#sql = sql
    this.#settledMs = Math.max(nowMs, this.#lastAdmittedMs(nowMs))
    this.#live = this.#loadEnds()
  }

  /** Begins a new incarnation of the door. Its epoch is durable before any answer leaves. */
  nextEpoch(): number {
    const epoch = Number(this.#fact('epoch') ?? 0) + 1
    this.#remember('epoch', epoch)
    return epoch
  }

  get(sid: string): Session | undefined {
    const [row] = this.#sql.exec<SessionRow>('SELECT * FROM sessions WHERE sid = ?', sid).toArray()
    return row && fromRow(row)
  }

  lastSessions(sid: string): Session[] {
    // All sids have the same length. Later sessions of a sid have a number behind a `~`, so no other sid sorts between
    // them.
    const query = 'SELECT * FROM sessions WHERE sid >= ? AND sid < ? ORDER BY LENGTH(sid) DESC, sid DESC LIMIT 2'
    const rows = this.#sql.exec<SessionRow>(query, sid, `${sid}~:`).toArray()
    return rows.reverse().map(fromRow)
  }

  insert(session: Session): Session | undefined {
    const { sid, key, lane, admittedMs, expiresMs, ended, returned, endsByTime, isReentry } = session
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO sessions (sid, key, lane, admitted_ms, expires_ms, ended, returned, ends_by_time, is_reentry)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sid) DO NOTHING`,
      ...[sid, key, lane, admittedMs, expiresMs, ended, Number(returned), Number(endsByTime), Number(isReentry)],
    )
    if (rowsWritten === 0) return this.get(sid)
    if (expiresMs > this.#settledMs) {
      this.#live++
      this.#ends.add(expiresMs)
    }
    return undefined
  }

  update({ sid, expiresMs, ended, returned, endsByTime }: Session, endedMs: number): void {
    this.#sql.exec(
      'UPDATE sessions SET expires_ms = ?, ended = ?, returned = ?, ends_by_time = ? WHERE sid = ?',
      ...[expiresMs, ended, Number(returned), Number(endsByTime), sid],
    )
    this.#ends.remove(endedMs)
    this.#ends.add(expiresMs)
  }

  clock(nowMs: number): number {
    return Math.max(nowMs, this.#settledMs)
  }

  /** Returns the number of places taken now. If the clock goes back, no place is freed twice. */
  live(nowMs: number): number {
    if (nowMs > this.#settledMs) {
      this.#live -= this.#ends.removeUntil(nowMs)
      this.#settledMs = nowMs
    }
    return this.#live
  }

  /** Returns the last pause for which session ends were moved, or null before the first. */
  pause(): Pause | null {
    const noted = this.#fact('pause')
    return typeof noted === 'string' ? (JSON.parse(noted) as Pause) : null
  }

  /**
   * Moves the end of every live session later, because session time does not run while the origin is down. An ended
   * session stays ended.
   */
  prolong(byMs: number, pause: Pause, nowMs: number): void {
    this.#remember('pause', JSON.stringify(pause))
    this.live(nowMs)
    this.#sql.exec(
      'UPDATE sessions SET expires_ms = expires_ms + ? WHERE expires_ms > ? AND ended IS NULL',
      byMs,
      this.#settledMs,
    )
    this.#live = this.#loadEnds()
  }

  /** Returns when the next place comes free, or null when no session is active. */
  nextEndMs(): number | null {
    return this.#ends.nextMs()
  }

  /**
   * Deletes sessions that no ticket can name any more: their keys lapsed at least one claim window ago. The lapsed key
   * is stored together with its time, because the door may sleep in between.
   */
  prune(lapsedKey: number, rules: SessionRules, nowMs: number): void {
    const before = this.#fact('lapsed')
    const noted = typeof before === 'string' ? (JSON.parse(before) as { atMs: number; key: number }) : null
    const waitMs = rules.claimWindowMs + SKEW_MS
    if (noted && nowMs - noted.atMs < waitMs) return
    if (noted) {
      const { endedBeforeMs, admittedBeforeMs } = prunableBefore(rules, nowMs)
      const query =
        'SELECT sid FROM sessions WHERE sid > ? AND expires_ms < ? AND admitted_ms < ? AND key <= ? ORDER BY sid LIMIT ?'
      const bounds = [endedBeforeMs, admittedBeforeMs, noted.key, PRUNED_AT_ONCE]
      const pruned = this.#sql.exec<{ sid: string }>(query, this.#prunedTo, ...bounds).toArray()
      for (const { sid } of pruned) this.#sql.exec('DELETE FROM sessions WHERE sid = ?', sid)
      this.#prunedTo = pruned.length === PRUNED_AT_ONCE ? (pruned.at(-1)?.sid ?? '') : ''
      if (this.#prunedTo !== '') return
    }
    if (Number.isFinite(lapsedKey)) this.#remember('lapsed', JSON.stringify({ atMs: nowMs, key: lapsedKey }))
  }

  load(sid: string): StoredDebt[] {
    const query = 'SELECT bucket, tat_ms, interval_ms FROM debts WHERE sid = ?'
    const rows = this.#sql.exec<{ bucket: string; tat_ms: number; interval_ms: number }>(query, sid).toArray()
    return rows.map(row => ({ bucket: row.bucket, tatMs: row.tat_ms, intervalMs: row.interval_ms }))
  }

  save(sid: string, { bucket, tatMs, intervalMs }: StoredDebt): void {
    this.#sql.exec(
      'INSERT INTO debts (sid, bucket, tat_ms, interval_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sid, bucket) DO UPDATE SET tat_ms = ?3, interval_ms = ?4',
      ...[sid, bucket, tatMs, intervalMs],
    )
  }

  /** Deletes debts that have drained. */
  pruneDrained(nowMs: number): void {
    if (nowMs - this.#drainedMs < DRAINED_EVERY_MS) return
    this.#drainedMs = nowMs
    this.#sql.exec('DELETE FROM debts WHERE tat_ms <= ?', nowMs)
  }

  /**
   * Returns the time of the newest unexpired admission. The clock of the previous incarnation had reached this time,
   * even if the clock of this host is behind. Storing that clock itself would cost a write with every report.
   */
  #lastAdmittedMs(nowMs: number): number {
    const query = 'SELECT MAX(admitted_ms) AS last FROM sessions WHERE expires_ms > ?'
    return this.#sql.exec<{ last: number | null }>(query, nowMs).one().last ?? nowMs
  }

  #fact(name: string): SqlStorageValue | undefined {
    const [row] = this.#sql.exec<{ value: SqlStorageValue }>('SELECT value FROM facts WHERE name = ?', name).toArray()
    return row?.value
  }

  #remember(name: string, value: SqlStorageValue): void {
    this.#sql.exec(
      'INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2',
      name,
      value,
    )
  }

  /** Loads the ends of all live sessions, and returns their number. */
  #loadEnds(): number {
    const query = 'SELECT expires_ms FROM sessions WHERE expires_ms > ?'
    let live = 0
    this.#ends.clear()
    for (const { expires_ms } of this.#sql.exec<{ expires_ms: number }>(query, this.#settledMs)) {
      this.#ends.add(expires_ms)
      live++
    }
    return live
  }
}

function fromRow(row: SessionRow): Session {
  return {
    sid: row.sid,
    key: row.key,
    lane: row.lane,
    admittedMs: row.admitted_ms,
    expiresMs: row.expires_ms,
    ended: row.ended as Session['ended'],
    returned: row.returned === 1,
    endsByTime: row.ends_by_time === 1,
    isReentry: row.is_reentry === 1,
  }
}
