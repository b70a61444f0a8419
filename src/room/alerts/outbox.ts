/**
 * Notices on their way to receivers. Each is stored before it is sent, and kept until it is accepted or a day has
 * passed. So a restart loses no notice, but a notice may arrive twice, with the same id.
 */
import { type Notice, nextAttemptMs } from '../../core/alerts/notices.ts'
import type { Delivery } from '../../core/protocol/alerts.ts'
import type { Receiver } from '../../settings/admin/receivers.ts'
import { addressFor, messageFor } from './formats.ts'

const DELIVERIES_KEPT = 500
/** The most notices that wait. If receivers do not answer for long, the oldest notices are dropped. */
const WAITING_MAX = 200
const ANSWER_WITHIN_MS = 10_000
/** The most notices for one receiver in one run. Otherwise a run might never end. */
const RUN_MAX = 20

interface Row extends Record<string, SqlStorageValue> {
  id: string
  receiver: string
  notice: string
  created_ms: number
  attempts: number
  outcome: string | null
  next_ms: number | null
}

export type Send = (url: string, init: RequestInit) => Promise<Response>

export class Outbox {
  readonly #sql: SqlStorage
  readonly #send: Send
  /** Receivers to which this object is sending at the moment. */
  readonly #busy = new Set<string>()

  /** The room's store creates the tables. */
  constructor(sql: SqlStorage, send: Send) {
    this.#sql = sql
    this.#send = send
  }

  add(receiver: string, notice: Notice, nowMs: number): void {
    this.#sql.exec(
      'INSERT INTO deliveries (id, receiver, notice, created_ms, attempts, next_ms) VALUES (?, ?, ?, ?, 0, ?)',
      ...[`msg_${crypto.randomUUID()}`, receiver, JSON.stringify(notice), nowMs, nowMs],
    )
    this.#sql.exec(
      'DELETE FROM deliveries WHERE next_ms IS NOT NULL AND rowid <= (SELECT MAX(rowid) FROM deliveries) - ?',
      WAITING_MAX,
    )
    this.#sql.exec('DELETE FROM deliveries WHERE rowid <= (SELECT MAX(rowid) FROM deliveries) - ?', DELIVERIES_KEPT)
  }

  /**
   * Returns when the next delivery is due, or null. A receiver that is being called is due again only after the time
   * for its answer. Otherwise the notices that wait for it would ring the alarm without a pause.
   */
  nextMs(nowMs: number): number | null {
    const busy = [...this.#busy]
    const due = `CASE WHEN receiver IN (${busy.map(() => '?').join(', ')}) THEN MAX(next_ms, ?) ELSE next_ms END`
    const query = `SELECT MIN(${busy.length > 0 ? due : 'next_ms'}) AS next FROM deliveries WHERE next_ms IS NOT NULL`
    const bounds = busy.length > 0 ? [...busy, nowMs + ANSWER_WITHIN_MS] : []
    const [row] = this.#sql.exec<{ next: number | null }>(query, ...bounds).toArray()
    return row?.next ?? null
  }

  /**
   * Sends the notices that are due: one after the other to each receiver, and to all receivers at once. Never throws.
   */
  async run(receivers: readonly Receiver[], nowMs: number): Promise<void> {
    const due = this.#sql.exec<Row>('SELECT * FROM deliveries WHERE next_ms <= ? ORDER BY rowid', nowMs).toArray()
    const names = [...new Set(due.map(({ receiver }) => receiver))].filter(name => !this.#busy.has(name))
    await Promise.all(
      names.map(async name => {
        this.#busy.add(name)
        try {
          const own = due.filter(row => row.receiver === name).slice(0, RUN_MAX)
          await this.#runFor(name, receivers.find(receiver => receiver.name === name) ?? null, own)
        } finally {
          this.#busy.delete(name)
        }
      }),
    )
  }

  async #runFor(name: string, receiver: Receiver | null, rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      // If this object ends now, the next one tries again at this time.
      const failedMs = nextAttemptMs(row.created_ms, row.attempts + 1, Date.now())
      this.#note(row, failedMs, row.outcome)
      const outcome = receiver ? await this.#attempt(receiver, row) : 'there is no such receiver'
      const isDelivered = /^2\d\d$/.test(outcome)
      this.#note(row, isDelivered || receiver === null ? null : failedMs, outcome)
      if (isDelivered || failedMs === null) continue
      // Other notices for this receiver wait for the next attempt as well, so a dead receiver costs one attempt at a
      // time.
      this.#sql.exec(
        'UPDATE deliveries SET next_ms = MAX(next_ms, ?) WHERE receiver = ? AND next_ms IS NOT NULL',
        ...[failedMs, name],
      )
      return
    }
  }

  /** Returns the status of the answer, or why there was no answer. Redirects are not followed. */
  async #attempt(receiver: Receiver, { id, notice: stored }: Row): Promise<string> {
    const notice = JSON.parse(stored) as Notice
    try {
      const { body, headers } = await messageFor(receiver, notice, id, Date.now())
      const init = { method: 'POST', body, headers: { ...headers, 'User-Agent': 'antesala' } }
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
      const response = await this.#send(addressFor(receiver, notice), { ...init, redirect: 'manual', signal })
      await response.body?.cancel()
      return String(response.status)
    } catch (error) {
      // A message of the runtime may contain the address, which may be a secret.
      return error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'no connection'
    }
  }

  #note({ id, attempts }: Row, nextMs: number | null, outcome: string | null): void {
    this.#sql.exec(
      'UPDATE deliveries SET attempts = ?, next_ms = ?, outcome = ? WHERE id = ?',
      ...[attempts + 1, nextMs, outcome, id],
    )
  }

  /** Returns the latest deliveries, newest first. */
  deliveries(): Delivery[] {
    const rows = this.#sql.exec<Row>('SELECT * FROM deliveries ORDER BY rowid DESC LIMIT 100').toArray()
    return rows.map(({ id, receiver, notice, created_ms, attempts, outcome, next_ms }) => ({
      id,
      receiver,
      text: (JSON.parse(notice) as Notice).text,
      createdAtMs: created_ms,
      attempts,
      state: next_ms !== null ? 'waiting' : /^2\d\d$/.test(outcome ?? '') ? 'delivered' : 'given-up',
      outcome,
      nextAttemptMs: next_ms,
    }))
  }
}
