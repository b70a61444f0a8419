/**
 * Counters that are reported to the tier above. They stay exact when messages are lost, repeated or late.
 *
 * A sender reports totals since a base, never differences. The base moves only when the receiver has answered. So the
 * next report contains a lost one, and a repeated report adds nothing. A receiver that lost its memory takes the totals
 * as they are. It then counts at most one unanswered report twice.
 *
 * A report is bounded, and the rest waits for a later one. Until the base moves, each report contains every cell of the
 * one before it, except pruned cells. Otherwise the receiver would count a cell again that it has already applied.
 */

/** Totals by name. A name is only used by the sender and the receivers, so names need no registry. */
export type Cells = Readonly<Record<string, number>>

/** The counters of a report: `cells` are totals since report `base` was answered. */
export interface TallyReport {
  readonly seq: number
  readonly base: number
  readonly cells: Cells
}

/** A receiver's memory of one sender: the last report that it applied. */
export type Applied = TallyReport

/**
 * The room stores a door's last report in one row of SQLite, which can be 2 MB at most. This limit is about 30,000
 * cells.
 */
const REPORT_BYTES_MAX = 1_500_000
/** The bytes of a cell in JSON beside its name: quotes, colon, comma, and a total of 16 digits. Names are ASCII. */
const CELL_BYTES = 20

/** The sending side: one open report at a time, numbered upwards from 1. */
export class Tally {
  readonly #bytesMax: number
  #seq = 0
  #base = 0
  /** The totals in the order of sending. A new cell, or one that comes back, goes to the end. */
  readonly #totals = new Map<string, number>()
  #sent: Record<string, number> = {}

  constructor(bytesMax = REPORT_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  get seq(): number {
    return this.#seq
  }

  /** True if there is a counter that the receiver has not answered. */
  get dirty(): boolean {
    return this.#totals.size > 0
  }

  add(cell: string, by = 1): void {
    this.#totals.set(cell, (this.#totals.get(cell) ?? 0) + by)
  }

  /** Prunes counters that are no longer useful, sent or not. */
  prune(isOld: (cell: string) => boolean): void {
    for (const cell of this.#totals.keys()) {
      if (!isOld(cell)) continue
      this.#totals.delete(cell)
      delete this.#sent[cell]
    }
  }

  get size(): number {
    return this.#totals.size
  }

  /** All counters that the receiver has not answered, sent or not. */
  entries(): Iterable<[cell: string, total: number]> {
    return this.#totals.entries()
  }

  /**
   * Returns the next report. An earlier report may still be on its way: it may arrive before this one, after it, or
   * never.
   */
  report(): TallyReport {
    this.#seq++
    // In a crowd each person may have a cell of its own. Object.fromEntries would take three times as long as this
    // loop.
    const cells: Record<string, number> = {}
    let bytes = 0
    for (const [cell, total] of this.#totals) {
      bytes += cell.length + CELL_BYTES
      if (bytes > this.#bytesMax) break
      cells[cell] = total
    }
    this.#sent = cells
    return { seq: this.#seq, base: this.#base, cells }
  }

  /** Applies the answer to report `seq`. Answers to older reports change nothing. */
  acknowledge(seq: number): void {
    if (seq !== this.#seq || seq === this.#base) return
    this.#base = seq
    for (const [cell, sent] of Object.entries(this.#sent)) {
      const rest = (this.#totals.get(cell) ?? 0) - sent
      // The cell goes behind those that did not fit. Otherwise a cell that is always counted would keep them waiting.
      this.#totals.delete(cell)
      if (rest !== 0) this.#totals.set(cell, rest)
    }
  }
}

/**
 * The receiving side. Returns what a report adds to all that was applied before. Returns undefined for a report that is
 * not newer than the last applied one: it is a repetition, or it is late.
 */
export function diff(applied: Applied | undefined, report: TallyReport): Cells | undefined {
  if (!applied) return report.cells
  if (report.seq <= applied.seq) return undefined
  if (report.base !== applied.base) return report.cells
  const added: Record<string, number> = {}
  for (const [cell, total] of Object.entries(report.cells)) {
    const by = total - (applied.cells[cell] ?? 0)
    if (by > 0) added[cell] = by
  }
  return added
}
