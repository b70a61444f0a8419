/**
 * The storage of a room's origin health: the state, the log of decisions, and one day of minutes. No database row
 * leaves this file.
 */

import { newPresence } from '../../core/health/presence.ts'
import { type HealthState, newHealth, STATE_VERSION } from '../../core/health/state.ts'
import type { Decision } from '../../core/history/decisions.ts'
import { type LateSamples, type Minute, newSamples } from '../../core/history/samples.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import { log } from '../../runtime/log.ts'
import type { KnownCondition } from './condition.ts'

/** The decision log keeps 30 days and at most 10,000 decisions: a room that flaps all month must not fill the disk. */
const DECISIONS_KEPT_MS = 30 * 24 * 60 * 60_000
const DECISIONS_KEPT = 10_000
const DECISIONS_SHOWN = 200
/** The name of the stored state. */
const FACT = 'origin_health'
const MINUTES_KEPT = 24 * 60

/** All that a room knows of its origin's health. */
interface Stored extends HealthState {
  readonly samples: LateSamples
  readonly condition: KnownCondition
}

export class HealthStore {
  readonly #sql: SqlStorage

  /** The room's store creates the tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /**
   * Returns the stored state. If another version has stored a state of another form, health begins anew. It is stored
   * under a name of its own, so that the other version still finds its state.
   */
  load(nowMs: number): Stored {
    const rows = this.#sql
      .exec<{ name: string; value: string }>("SELECT name, value FROM facts WHERE name IN ('health', ?)", FACT)
      .toArray()
    const row = rows.find(({ name }) => name === FACT)
    const stored = row ? (JSON.parse(row.value) as Partial<Stored>) : null
    const fresh: Stored = {
      ...newHealth(nowMs),
      samples: newSamples(nowMs),
      condition: { state: 'well', sinceMs: nowMs },
    }
    if (stored?.version === STATE_VERSION) return { ...fresh, ...stored, presence: newPresence(nowMs, false) }
    if (rows.length > 0) log('health-begun-anew', { detail: 'the stored state is of another version' })
    return fresh
  }

  /** Saves the state without `presence`, which changes all the time, and is known again after a minute. */
  save({ presence: _, ...state }: Stored): void {
    this.#sql.exec(
      'INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2',
      ...[FACT, JSON.stringify(state)],
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

  /** Returns the newest decisions of a time, newest first. */
  decisions(fromMs = 0, toMs = Number.MAX_SAFE_INTEGER): Decision[] {
    const query = 'SELECT decision FROM health_decisions WHERE at_ms >= ? AND at_ms < ? ORDER BY id DESC LIMIT ?'
    const rows = this.#sql.exec<{ decision: string }>(query, fromMs, toMs, DECISIONS_SHOWN).toArray()
    return rows.map(({ decision }) => readDecision(JSON.parse(decision)))
  }

  saveMinute({ minute, upstreams }: Minute): void {
    if (Object.keys(upstreams).length === 0) return
    this.#sql.exec(
      'INSERT INTO health_minutes (minute, upstreams) VALUES (?1, ?2) ON CONFLICT (minute) DO UPDATE SET upstreams = ?2',
      ...[minute, JSON.stringify(upstreams)],
    )
    this.#sql.exec('DELETE FROM health_minutes WHERE minute <= ?', minute - MINUTES_KEPT)
  }

  /** Returns the last `count` minutes, oldest first. */
  minutes(count: number, nowMs: number): Minute[] {
    const query = 'SELECT minute, upstreams FROM health_minutes WHERE minute > ? ORDER BY minute'
    const since = Math.floor(nowMs / MINUTE_MS) - count
    const rows = this.#sql.exec<{ minute: number; upstreams: string }>(query, since).toArray()
    return rows.map(({ minute, upstreams }) => ({ minute, upstreams: JSON.parse(upstreams) as Minute['upstreams'] }))
  }
}

/** Reads a decision. One from before sessions voted counts samples instead. */
function readDecision(stored: Decision): Decision {
  if (!stored.saw || 'sessions' in stored.saw) return stored
  const { apdex, failures, inside } = stored.saw as NonNullable<Decision['saw']>
  return { ...stored, saw: { sessions: null, apdex, failures, inside } }
}
