/**
 * The storage of a room's origin health: the state, the log of decisions, and one day of minutes. No database row
 * leaves this file.
 */
import type { Decision } from '../../core/health/decision-log.ts'
import { newStreak } from '../../core/health/failure-streak.ts'
import { type HealthState, MINUTE_MS, type Minute, newHealth } from '../../core/health/state.ts'

/** The decision log keeps 30 days and at most 10,000 decisions: a room that flaps all month must not fill the disk. */
const DECISIONS_KEPT_MS = 30 * 24 * 60 * 60_000
const DECISIONS_KEPT = 10_000
const DECISIONS_SHOWN = 200
const MINUTES_KEPT = 24 * 60

export class HealthStore {
  readonly #sql: SqlStorage

  /** The room's store creates the tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  load(nowMs: number): HealthState {
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'health'").toArray()
    const fresh = newHealth(nowMs)
    const stored = row ? (JSON.parse(row.value) as Partial<HealthState>) : {}
    for (const upstream of Object.values(stored.upstreams ?? {})) {
      upstream.streak ??= newStreak()
      upstream.losses ??= {}
      upstream.faults ??= {}
    }
    return { ...fresh, ...stored, ceiling: { ...fresh.ceiling, ...stored.ceiling } }
  }

  save(state: HealthState): void {
    this.#sql.exec(
      "INSERT INTO facts (name, value) VALUES ('health', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
      JSON.stringify(state),
    )
  }

  log(decision: Decision): void {
    const { id } = this.#sql
      .exec<{ id: number }>(
        'INSERT INTO health_decisions (at_ms, decision) VALUES (?, ?) RETURNING id',
        decision.atMs,
        JSON.stringify(decision),
      )
      .one()
    this.#sql.exec(
      'DELETE FROM health_decisions WHERE id <= ? OR at_ms < ?',
      id - DECISIONS_KEPT,
      decision.atMs - DECISIONS_KEPT_MS,
    )
  }

  /** Newest first. */
  decisions(): Decision[] {
    const query = 'SELECT decision FROM health_decisions ORDER BY id DESC LIMIT ?'
    const rows = this.#sql.exec<{ decision: string }>(query, DECISIONS_SHOWN).toArray()
    return rows.map(({ decision }) => JSON.parse(decision) as Decision)
  }

  saveMinute({ minute, upstreams }: Minute): void {
    if (Object.keys(upstreams).length === 0) return
    this.#sql.exec(
      'INSERT INTO health_minutes (minute, upstreams) VALUES (?1, ?2) ON CONFLICT (minute) DO UPDATE SET upstreams = ?2',
      ...[minute, JSON.stringify(upstreams)],
    )
    this.#sql.exec('DELETE FROM health_minutes WHERE minute <= ?', minute - MINUTES_KEPT)
  }

  /** Oldest first. */
  minutes(count: number, nowMs: number): Minute[] {
    const query = 'SELECT minute, upstreams FROM health_minutes WHERE minute > ? ORDER BY minute'
    const since = Math.floor(nowMs / MINUTE_MS) - count
    const rows = this.#sql.exec<{ minute: number; upstreams: string }>(query, since).toArray()
    return rows.map(({ minute, upstreams }) => ({ minute, upstreams: JSON.parse(upstreams) as Minute['upstreams'] }))
  }
}
