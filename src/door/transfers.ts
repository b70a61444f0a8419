/**
 * A door's storage of transfers: its codes, and the places that went to another browser. No database row leaves this
 * file.
 */
import type { Transfer, TransferStore } from '../core/door/transfers.ts'
import type { TransferOffer } from '../core/protocol/transfers.ts'

export const TRANSFERS_TABLE = `CREATE TABLE transfers (
     place TEXT PRIMARY KEY,
     transfers INTEGER NOT NULL,
     code TEXT,
     until_ms INTEGER NOT NULL,
     offer TEXT,
     taken_by TEXT
   ) WITHOUT ROWID;
   CREATE INDEX transfers_by_code ON transfers (code) WHERE code IS NOT NULL;
   CREATE INDEX transfers_by_end ON transfers (until_ms) WHERE code IS NOT NULL;`

/** A ticket is void a day after its last poll, and so is the last copy of it a day later. */
const REMEMBERED_MS = 48 * 60 * 60_000
/** Old rows are deleted in portions of this size, so that no single alarm takes long. */
const PRUNED_AT_ONCE = 1_000

type TransferRow = {
  place: string
  transfers: number
  code: string
  until_ms: number
  offer: string
  taken_by: string | null
}

export class DoorTransfers implements TransferStore {
  readonly #sql: SqlStorage
  /** False as long as no place was ever transferred here. Then claims need no look-up. */
  #hasAny: boolean

  constructor(sql: SqlStorage) {
    this.#sql = sql
    this.#hasAny = sql.exec('SELECT 1 FROM transfers WHERE transfers > 0 LIMIT 1').toArray().length > 0
  }

  timesOf(place: string): number {
    if (!this.#hasAny) return 0
    const query = 'SELECT transfers FROM transfers WHERE place = ?'
    return this.#sql.exec<{ transfers: number }>(query, place).toArray()[0]?.transfers ?? 0
  }

  byCode(code: string): Transfer | undefined {
    const [row] = this.#sql.exec<TransferRow>('SELECT * FROM transfers WHERE code = ?', code).toArray()
    if (!row) return undefined
    const offer = JSON.parse(row.offer) as TransferOffer
    return { place: row.place, transfers: row.transfers, code, untilMs: row.until_ms, offer, takenBy: row.taken_by }
  }

  save({ place, transfers, code, untilMs, offer, takenBy }: Transfer): void {
    this.#sql.exec(
      `INSERT INTO transfers (place, transfers, code, until_ms, offer, taken_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (place) DO UPDATE SET transfers = ?2, code = ?3, until_ms = ?4, offer = ?5, taken_by = ?6`,
      ...[place, transfers, code, untilMs, JSON.stringify(offer), takenBy],
    )
    this.#hasAny ||= transfers > 0
  }

  codes(nowMs: number): number {
    const query = 'SELECT COUNT(*) AS n FROM transfers WHERE code IS NOT NULL AND until_ms > ?'
    return this.#sql.exec<{ n: number }>(query, nowMs).one().n
  }

  /** Returns when the next code ends, or null if there is none. */
  nextEndMs(): number | null {
    const query = 'SELECT MIN(until_ms) AS next FROM transfers WHERE code IS NOT NULL'
    return this.#sql.exec<{ next: number | null }>(query).one().next
  }

  /**
   * Deletes the codes that have ended, with their tickets. A transferred place is kept for two days, and for as long as
   * the row of its session. Until then older copies of its ticket must be refused.
   */
  prune(nowMs: number): void {
    this.#sql.exec('DELETE FROM transfers WHERE transfers = 0 AND until_ms <= ?', nowMs)
    this.#sql.exec(
      'UPDATE transfers SET code = NULL, offer = NULL, taken_by = NULL WHERE code IS NOT NULL AND until_ms <= ?',
      nowMs,
    )
    this.#sql.exec(
      `DELETE FROM transfers WHERE place IN (
         SELECT place FROM transfers WHERE until_ms < ? AND place NOT IN (SELECT sid FROM sessions) LIMIT ?)`,
      nowMs - REMEMBERED_MS,
      PRUNED_AT_ONCE,
    )
  }
}
