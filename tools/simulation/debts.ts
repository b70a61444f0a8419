/** The debts that doors have written. As in the SQLite store, the rows survive an eviction. */
import type { DebtStore, StoredDebt } from '../../src/core/limits/ledger.ts'

export class MemoryDebts implements DebtStore {
  readonly #rows = new Map<string, Map<string, StoredDebt>>()
  rowsWritten = 0

  load(sid: string): Iterable<StoredDebt> {
    return this.#rows.get(sid)?.values() ?? []
  }

  save(sid: string, debt: StoredDebt): void {
    const rows = this.#rows.get(sid) ?? new Map<string, StoredDebt>()
    rows.set(debt.bucket, debt)
    this.#rows.set(sid, rows)
    this.rowsWritten++
  }
}
