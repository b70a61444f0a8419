/**
 * A room's SQLite: the state of its half of the protocol, its histogram, and the operators' changes. No database row
 * leaves this file.
 */

import { newOpenMinute } from '../core/history/history.ts'
import { CHUNK_MS } from '../core/line/arrivals.ts'
import type { Line, LineState } from '../core/line/line.ts'
import { newLine } from '../core/line/line.ts'
import type { Change, ChangeRequest } from '../core/protocol/calls.ts'
import { addUnstored, type DoorRecord, newRoom, type RoomState, removeLane } from '../core/room/room.ts'
import { migrate } from '../runtime/migrations.ts'
import type { Overrides } from '../settings/rooms.ts'

export const ROOM_MIGRATIONS = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE doors (name TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE arrivals (lane TEXT NOT NULL, chunk INTEGER NOT NULL, counts BLOB NOT NULL, PRIMARY KEY (lane, chunk)) WITHOUT ROWID;
   CREATE TABLE changes (version INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, request TEXT NOT NULL, overrides TEXT NOT NULL);`,
  // Old counts per two milliseconds cannot be split into finer ones. They are dropped, and an existing line is counted
  // again.
  `DROP TABLE arrivals;
   CREATE TABLE arrivals (lane TEXT NOT NULL, chunk INTEGER NOT NULL, buckets BLOB NOT NULL, PRIMARY KEY (lane, chunk)) WITHOUT ROWID;`,
  `CREATE TABLE health_decisions (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, decision TEXT NOT NULL);
   CREATE TABLE health_minutes (minute INTEGER PRIMARY KEY, upstreams TEXT NOT NULL);`,
  'CREATE TABLE history (step TEXT NOT NULL, nth INTEGER NOT NULL, figures TEXT NOT NULL, PRIMARY KEY (step, nth)) WITHOUT ROWID;',
  'CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, proof TEXT NOT NULL, network TEXT, action TEXT NOT NULL, subject TEXT, before_json TEXT, after_json TEXT);',
  `CREATE TABLE deliveries (id TEXT PRIMARY KEY, receiver TEXT NOT NULL, notice TEXT NOT NULL, created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, outcome TEXT, next_ms INTEGER);
   CREATE INDEX deliveries_due ON deliveries (next_ms);`,
  `ALTER TABLE audit ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE audit ADD COLUMN last_ms INTEGER;`,
  'CREATE TABLE reports (id TEXT PRIMARY KEY, to_ms INTEGER NOT NULL, report TEXT NOT NULL) WITHOUT ROWID;',
  'CREATE TABLE tokens (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, sha256 TEXT NOT NULL, made_by TEXT NOT NULL, made_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL, used_ms INTEGER, revoked_ms INTEGER, revoked_by TEXT) WITHOUT ROWID;',
]

/** The most changes that are kept in this list. The audit log has limits of its own. */
const CHANGES_KEPT = 1_000

/** The fields of RoomState that are stored unchanged in one row. Histograms and doors have their own tables. */
const KEPT = [
  'generation',
  'open',
  'emptySinceMs',
  'bank',
  'totals',
  'transferred',
  'history',
  'phase',
  'turns',
  'chunksStored',
  'doorPlan',
  'draws',
  'events',
  'stock',
  'tickedAtMs',
  'departuresPerSecond',
] as const satisfies readonly (keyof RoomState)[]

/**
 * A row of an older version lacks later fields, which get the values of a new room. In older versions a removed lane
 * kept its line, and its people were counted in the main line as well.
 */
type StoredRoom = Partial<Pick<RoomState, (typeof KEPT)[number]>> & { lines: Record<string, StoredLine> }
type StoredLine = LineState & { readonly removedAtMs?: number | null }

export class RoomStore {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    migrate(sql, ROOM_MIGRATIONS)
    this.#sql = sql
  }

  /** Returns the stored room, or a new one that is stored at once, because its generation is in every token. */
  load(nowMs: number): RoomState {
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'room'").toArray()
    if (!row) {
      const room = newRoom(nowMs)
      this.saveRoom(room)
      return room
    }
    const { lines, ...stored } = JSON.parse(row.value) as StoredRoom
    const doors = this.#sql.exec<{ name: string; account: string }>('SELECT name, account FROM doors').toArray()
    const room = {
      ...newRoom(nowMs),
      ...stored,
      // The history of an older version begins now. Otherwise all earlier totals would count for its first minute.
      history: stored.history ?? newOpenMinute(stored.totals ?? {}, nowMs),
      doors: new Map(doors.map(({ name, account }) => [name, doorFrom(account)])),
      lines: new Map(Object.entries(lines).map(([lane, state]) => [lane, this.#loadLine(lane, state, nowMs)])),
    }
    for (const [lane, { removedAtMs }] of Object.entries(lines)) {
      if (!removedAtMs) continue
      removeLane(room, lane, nowMs)
      this.#deleteLane(lane)
    }
    addUnstored(room)
    return room
  }

  saveRoom(room: RoomState): void {
    const lines = Object.fromEntries([...room.lines].map(([lane, line]) => [lane, line.state]))
    const stored = { ...Object.fromEntries(KEPT.map(name => [name, room[name]])), lines }
    this.#sql.exec(
      "INSERT INTO facts (name, value) VALUES ('room', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
      JSON.stringify(stored),
    )
  }

  /** Saves everything that a door's report may have changed. */
  saveReported(room: RoomState, name: string, dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    this.saveLines(room, dirty)
    for (const [lane, line] of room.lines) this.#pruneArrivals(lane, line)
    const door = room.doors.get(name)
    if (door) this.#saveDoor(name, door)
    this.saveRoom(room)
  }

  /** Saves the chunks of the histograms that have changed, by lane, and deletes the histogram of a removed lane. */
  saveLines({ lines }: RoomState, dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    for (const [lane, chunks] of dirty) {
      const line = lines.get(lane)
      if (line) this.#saveArrivals(lane, line, chunks)
      else this.#deleteLane(lane)
    }
  }

  #saveDoor(name: string, { demand: _, reportedAtMs, ...account }: DoorRecord): void {
    this.#sql.exec(
      'INSERT INTO doors (name, account) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET account = ?2',
      name,
      JSON.stringify({ ...account, heardAtMs: reportedAtMs }),
    )
  }

  #saveArrivals(lane: string, line: Line, chunks: ReadonlySet<number>): void {
    for (const chunk of chunks) {
      const buckets = line.arrivals.save(chunk)
      if (buckets) {
        const query =
          'INSERT INTO arrivals (lane, chunk, buckets) VALUES (?1, ?2, ?3) ON CONFLICT (lane, chunk) DO UPDATE SET buckets = ?3'
        this.#sql.exec(query, lane, chunk, buckets)
      }
    }
  }

  #deleteLane(lane: string): void {
    this.#sql.exec('DELETE FROM arrivals WHERE lane = ?', lane)
  }

  /** Deletes the histogram behind the frontier, in whole chunks. */
  #pruneArrivals(lane: string, line: Line): void {
    if (line.arrivals.pruneBefore(line.state.frontierKey).length === 0) return
    this.#sql.exec(
      'DELETE FROM arrivals WHERE lane = ? AND chunk < ?',
      lane,
      Math.floor(line.state.frontierKey / CHUNK_MS),
    )
  }

  /** Returns the newest live changes and their version, or 0 and nothing before the first change. */
  overrides(): { version: number; overrides: Overrides } {
    const query = 'SELECT version, overrides FROM changes ORDER BY version DESC LIMIT 1'
    const [row] = this.#sql.exec<{ version: number; overrides: string }>(query).toArray()
    return row
      ? { version: row.version, overrides: JSON.parse(row.overrides) as Overrides }
      : { version: 0, overrides: {} }
  }

  recordChange(
    { version, atMs, actor, request }: Omit<Change, 'version'> & { readonly version: number },
    overrides: Overrides,
  ): void {
    this.#sql.exec(
      'INSERT INTO changes (version, at_ms, actor, request, overrides) VALUES (?, ?, ?, ?, ?)',
      ...[version, atMs, actor, JSON.stringify(request), JSON.stringify(overrides)],
    )
    // Only the newest overrides are in force. Older ones are emptied, because custom pages take up to 256 KiB each.
    this.#sql.exec("UPDATE changes SET overrides = '{}' WHERE version = ?", version - 1)
    this.#sql.exec('DELETE FROM changes WHERE version <= ?', version - CHANGES_KEPT)
  }

  /** Returns the newest hundred changes in a time, newest first. */
  changes(fromMs = 0, toMs = Number.MAX_SAFE_INTEGER): Change[] {
    const query =
      'SELECT version, at_ms, actor, request FROM changes WHERE at_ms >= ? AND at_ms < ? ORDER BY version DESC LIMIT 100'
    const rows = this.#sql
      .exec<{ version: number; at_ms: number; actor: string; request: string }>(query, fromMs, toMs)
      .toArray()
    return rows.map(row => ({
      version: String(row.version),
      atMs: row.at_ms,
      actor: row.actor,
      request: JSON.parse(row.request) as ChangeRequest,
    }))
  }

  #loadLine(lane: string, { removedAtMs, ...state }: StoredLine, nowMs: number): Line {
    const fresh = newLine(nowMs)
    // A row of an older version lacks later fields.
    const line = { ...fresh, state: { ...fresh.state, ...state } }
    if (removedAtMs) return line
    const rows = this.#sql.exec<{ chunk: number; buckets: ArrayBuffer }>(
      'SELECT chunk, buckets FROM arrivals WHERE lane = ?',
      lane,
    )
    for (const { chunk, buckets } of rows) line.arrivals.load(chunk, new Uint8Array(buckets))
    return line
  }
}

/**
 * Loads a door. Its `demand` is not stored, because it is out of date within seconds. `reportedAtMs` is stored under an
 * older name.
 */
function doorFrom(account: string): DoorRecord {
  const { heardAtMs, ...stored } = JSON.parse(account) as Omit<DoorRecord, 'demand' | 'reportedAtMs'> & {
    heardAtMs: number
  }
  return { ...stored, reportedAtMs: heardAtMs, demand: [] }
}
