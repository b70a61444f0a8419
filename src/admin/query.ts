/** Reads the query of an admin route, and collects the problems with it. */

/** An RFC 3339 time. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i

interface Problem {
  readonly path: string
  readonly message: string
}

/** The answer that refuses a query, with all its problems. */
export interface Refused {
  readonly problems: readonly Problem[]
}

export class QueryReader {
  readonly problems: Problem[] = []
  readonly #asked: Readonly<Record<string, string>>

  constructor(asked: Readonly<Record<string, string>>) {
    this.#asked = asked
  }

  /**
   * Returns a time in milliseconds. Returns `otherwise` if the query has none, and NaN for a time that does not exist.
   */
  time(path: string, otherwise: number): number {
    const given = this.#asked[path]
    if (given === undefined) return otherwise
    const ms = TIME.test(given) ? Date.parse(given) : Number.NaN
    if (Number.isNaN(ms)) this.refuse(path, `must be a time such as 2026-11-27T09:00:00Z, got ${given}`)
    return ms
  }

  /** Returns the times `from` and `to`. The default of `to` is now, and that of `from` is `defaultMs` before `to`. */
  span(nowMs: number, defaultMs: number): { readonly fromMs: number; readonly toMs: number } {
    const toMs = this.time('to', nowMs)
    const fromMs = this.time('from', toMs - defaultMs)
    if (fromMs >= toMs) this.refuse('from', 'must be before to')
    return { fromMs, toMs }
  }

  /** True if the query asks for CSV. Otherwise the answer is JSON. */
  isCsv(): boolean {
    const { format = 'json' } = this.#asked
    if (format !== 'json' && format !== 'csv') this.refuse('format', `must be json or csv, got ${format}`)
    return format === 'csv'
  }

  refuse(path: string, message: string): void {
    this.problems.push({ path, message })
  }
}
