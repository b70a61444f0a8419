/**
 * Counters on their way up a tier, exact over lost, doubled and late messages.
 *
 * A sender reports totals since a base, never differences. The base moves only when the receiver has answered, so a
 * lost report is contained in the next one and a repeated one adds nothing. A receiver that lost its memory takes the
 * totals as they stand: what it had already passed on is at most one unanswered report.
 *
 * A report is bounded, and what does not fit waits for a later one. Until the base moves, reports only grow: each holds every
 * cell of the one before it, or the receiver would count a cell anew that it has applied already.
 */

/** Named totals. A name is seen by both tiers only; it needs no registry. */
export type Cells = Readonly<Record<string, number>>

/** What a report says of its counters: `cells` are totals since report `base` was answered. */
export interface TallyReport {
  readonly seq: number
  readonly base: number
  readonly cells: Cells
}

/** A receiver's memory of one sender: the last report it applied. */
export type Applied = TallyReport

/** The room keeps a door's last report in one row of SQLite, which is 2 MB at most: this is some thirty thousand cells. */
const REPORT_BYTES_MAX = 1_500_000
/** A cell beside its name, as JSON: quotes, colon, comma, and a total of sixteen digits. Names are ASCII. */
const CELL_BYTES = 20

/** The sending side: one open report at a time, numbered upwards from 1. */
export class Tally {
  readonly #bytesMax: number
  #seq = 0
  #base = 0
  /** In the order in which they are sent; whatever joins or comes back does so behind the others. */
  readonly #totals = new Map<string, number>()
  #sent: Record<string, number> = {}

  constructor(bytesMax = REPORT_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  get seq(): number {
    return this.#seq
  }

  /** True when a report would carry a counter that the receiver has not answered for. */
  get dirty(): boolean {
    return this.#totals.size > 0
  }

  add(cell: string, by = 1): void {
    this.#totals.set(cell, (this.#totals.get(cell) ?? 0) + by)
  }

  /** Lets go of counters that say nothing any more, told or not. */
  forget(isOld: (cell: string) => boolean): void {
    for (const cell of this.#totals.keys()) {
      if (!isOld(cell)) continue
      this.#totals.delete(cell)
      delete this.#sent[cell]
    }
  }

  get size(): number {
    return this.#totals.size
  }

  /** Everything that has not been answered for, sent or not. */
  entries(): Iterable<[cell: string, total: number]> {
    return this.#totals.entries()
  }

  /** Opens the next report. An earlier one that is still on its way may arrive before or after it, or never. */
  report(): TallyReport {
    this.#seq++
    // A crowd that comes at once is a cell each: Object.fromEntries takes three times as long.
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

  /** Takes the answer to report `seq`; answers to any but the newest change nothing. */
  acknowledge(seq: number): void {
    if (seq !== this.#seq || seq === this.#base) return
    this.#base = seq
    for (const [cell, sent] of Object.entries(this.#sent)) {
      const rest = (this.#totals.get(cell) ?? 0) - sent
      // Behind those that did not fit: a cell that is counted all the time must not keep them waiting.
      this.#totals.delete(cell)
      if (rest !== 0) this.#totals.set(cell, rest)
    }
  }
}

/**
 * The receiving side: what a report adds to everything applied before it. Undefined for a report that is not newer than
 * the last one applied: it was answered already, or it is late.
 */
export function fresh(applied: Applied | undefined, report: TallyReport): Cells | undefined {
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
