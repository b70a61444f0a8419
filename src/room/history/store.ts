/** The storage of a room's past: one row for each minute of 30 days, and one for each hour of a year. */
import { type HistoryStep, inSteps, packed, unpacked } from '../../core/history/history.ts'
import { HOUR_MS, MINUTE_MS } from '../../core/timing.ts'

const MINUTES_KEPT = 30 * 24 * 60
const HOURS_KEPT = 366 * 24
const MINUTES_PER_HOUR = 60

export class HistoryStore {
  readonly #sql: SqlStorage

  /** The store of the room has created the tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /**
   * Saves a minute that is over. With `endsHour` it is the last minute of an hour, and the hour is saved as one row,
   * too.
   */
  saveMinute(step: HistoryStep, endsHour: boolean): void {
    const minute = step.atMs / MINUTE_MS
    this.#save('minute', minute, step)
    this.#sql.exec("DELETE FROM history WHERE step = 'minute' AND nth <= ?", minute - MINUTES_KEPT)
    if (!endsHour) return
    const hour = Math.floor(minute / MINUTES_PER_HOUR)
    const [folded] = inSteps(this.steps('minute', hour * HOUR_MS, (hour + 1) * HOUR_MS), HOUR_MS)
    if (folded) this.#save('hour', hour, folded)
    this.#sql.exec("DELETE FROM history WHERE step = 'hour' AND nth <= ?", hour - HOURS_KEPT)
  }

  /** Returns the steps that begin from `fromMs` up to, but not including, `untilMs`, oldest first. */
  steps(step: 'minute' | 'hour', fromMs: number, untilMs: number): HistoryStep[] {
    const ms = step === 'minute' ? MINUTE_MS : HOUR_MS
    const query = 'SELECT nth, figures FROM history WHERE step = ? AND nth >= ? AND nth < ? ORDER BY nth'
    const range = [step, Math.ceil(fromMs / ms), Math.ceil(untilMs / ms)]
    const rows = this.#sql.exec<{ nth: number; figures: string }>(query, ...range).toArray()
    return rows.map(({ nth, figures }) => unpacked(nth * ms, JSON.parse(figures)))
  }

  #save(step: 'minute' | 'hour', nth: number, figures: HistoryStep): void {
    this.#sql.exec(
      'INSERT INTO history (step, nth, figures) VALUES (?1, ?2, ?3) ON CONFLICT (step, nth) DO UPDATE SET figures = ?3',
      ...[step, nth, JSON.stringify(packed(figures))],
    )
  }
}
