/** The storage of tokens that were made in the dashboard. */
import { idOf, type MadeToken, type NewToken } from '../core/protocol/operators.ts'
import { HOUR_MS, MINUTE_MS } from '../core/timing.ts'

/** The most valid tokens. Isolates keep the list of tokens in memory, so it must be short. */
const VALID_MAX = 100
/** After a token was revoked or has ended, operators see it in the list for this long. */
const KEPT_MS = 90 * 24 * HOUR_MS
/**
 * The most tokens that are kept after their end. A program that makes and revokes tokens must not let the list grow.
 */
const OVER_MAX = 100

interface Row extends Record<string, SqlStorageValue> {
  id: string
  name: string
  role: string
  sha256: string
  made_by: string
  made_ms: number
  ends_ms: number
  used_ms: number | null
  revoked_ms: number | null
  revoked_by: string | null
}

export class OperatorTokens {
  readonly #sql: SqlStorage

  /** The store of the room has created the table. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** Returns all tokens, newest first. */
  all(): MadeToken[] {
    return this.#sql.exec<Row>('SELECT * FROM tokens ORDER BY made_ms DESC, id').toArray().map(tokenOf)
  }

  /** Stores a token. Returns null when the limit on valid tokens is reached. */
  add({ name, role, sha256, madeBy, endsAtMs }: NewToken, nowMs: number): MadeToken | null {
    const overMs = 'MIN(ends_ms, COALESCE(revoked_ms, ends_ms))'
    this.#sql.exec(`DELETE FROM tokens WHERE ${overMs} < ?`, nowMs - KEPT_MS)
    const newest = `SELECT id FROM tokens WHERE ${overMs} <= ?1 ORDER BY ${overMs} DESC LIMIT ?2`
    this.#sql.exec(`DELETE FROM tokens WHERE ${overMs} <= ?1 AND id NOT IN (${newest})`, nowMs, OVER_MAX)
    const valid = this.all().filter(token => token.revokedAtMs === null && token.endsAtMs > nowMs)
    if (valid.length >= VALID_MAX) return null
    this.#sql.exec(
      'INSERT INTO tokens (id, name, role, sha256, made_by, made_ms, ends_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[idOf(sha256), name, role, sha256, madeBy, nowMs, endsAtMs],
    )
    return this.#one(idOf(sha256))
  }

  /** Revokes a token. Returns null when there is no such valid token. */
  revoke(id: string, by: string, nowMs: number): MadeToken | null {
    const token = this.#one(id)
    if (!token || token.revokedAtMs !== null || token.endsAtMs <= nowMs) return null
    this.#sql.exec('UPDATE tokens SET revoked_ms = ?, revoked_by = ? WHERE id = ?', nowMs, by, id)
    return this.#one(id)
  }

  /** Notes that a token was used. Every isolate reports the use, so the row is written at most once a minute. */
  used(id: string, nowMs: number): void {
    const query = 'UPDATE tokens SET used_ms = ?1 WHERE id = ?2 AND (used_ms IS NULL OR used_ms < ?1 - ?3)'
    this.#sql.exec(query, nowMs, id, MINUTE_MS)
  }

  #one(id: string): MadeToken | null {
    const [row] = this.#sql.exec<Row>('SELECT * FROM tokens WHERE id = ?', id).toArray()
    return row ? tokenOf(row) : null
  }
}

function tokenOf(row: Row): MadeToken {
  return {
    ...{ id: row.id, name: row.name, role: row.role, sha256: row.sha256 },
    ...{ madeBy: row.made_by, madeAtMs: row.made_ms, endsAtMs: row.ends_ms },
    ...{ lastUsedAtMs: row.used_ms, revokedAtMs: row.revoked_ms, revokedBy: row.revoked_by },
  }
}
