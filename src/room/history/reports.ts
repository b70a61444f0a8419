/** The reports of a room. One is made and kept when an event ends. Others are made on request, for any time. */
import { figuresOf } from '../../core/history/report.ts'
import type { AuditEntry } from '../../core/protocol/audit.ts'
import type { ReportedDeed, ReportListed, RoomReport } from '../../core/protocol/calls.ts'
import { HOUR_MS, MINUTE_MS } from '../../core/timing.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import type { AuditLog } from '../audit.ts'
import { turnsAt } from '../log.ts'
import type { RoomHistory } from './history.ts'

const DAY_MS = 24 * HOUR_MS
/** The room keeps its minutes for 30 days. One day less is used, because minutes are deleted one by one. */
const MINUTES_KEPT_MS = 29 * DAY_MS
/** A report of a longer time uses hours, so that no report reads more than about ten thousand rows. */
const BY_MINUTE_MS = 7 * DAY_MS
/** A report has about 40 kB, so all of them have 2 MB. */
const REPORTS_KEPT = 50
const DEEDS_MAX = 100
const VALUE_CHARACTERS_MAX = 120

/** The parts of a room that its reports are made from. */
interface Sources {
  readonly room: string
  readonly sql: SqlStorage
  readonly history: RoomHistory
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
  /** Absent in a report that was requested for any time. */
  readonly event?: { readonly id: string; readonly name: string; readonly startMs: number }
}

export class RoomReports {
  readonly #sources: Sources
  readonly #audit: AuditLog

  /** The store of the room has created the table. */
  constructor(sources: Sources, audit: AuditLog) {
    this.#sources = sources
    this.#audit = audit
  }

  /** Makes and keeps the reports of the events that end at this moment. */
  turn(settings: RoomSettings, atMs: number, nowMs: number): void {
    for (const { turn, name } of turnsAt(settings, atMs)) {
      const event = settings.events.find(other => other.name === name)
      if (turn !== 'event-ended' || !event) continue
      const { prequeueMs, startMs, endMs } = event
      const own = { id: idOf(name, endMs), name, startMs }
      this.#keep(this.make({ fromMs: prequeueMs ?? startMs, toMs: endMs, event: own }, settings, nowMs))
    }
  }

  make({ fromMs, toMs, event }: Span, settings: RoomSettings, nowMs: number): RoomReport {
    const { room, history } = this.#sources
    const isRecent = fromMs > nowMs - MINUTES_KEPT_MS && toMs - fromMs <= BY_MINUTE_MS
    const stepMs = isRecent ? MINUTE_MS : HOUR_MS
    const { steps, markers } = history.report({ fromMs, toMs, stepMs }, [], settings)
    return {
      id: event?.id ?? null,
      event: event?.name ?? null,
      room,
      ...{ fromMs, startMs: event?.startMs ?? null, toMs, madeAtMs: nowMs },
      figures: figuresOf({ steps, stepMs, fromMs, toMs, doors: history.doorsSince(fromMs) }),
      decisions: markers.filter(marker => marker.kind === 'decision'),
      deeds: this.#audit.deeds(fromMs, toMs, DEEDS_MAX).reverse().map(reported),
    }
  }

  #keep(report: RoomReport): void {
    const { sql } = this.#sources
    sql.exec(
      'INSERT INTO reports (id, to_ms, report) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET report = ?3',
      ...[report.id, report.toMs, JSON.stringify(report)],
    )
    sql.exec(
      'DELETE FROM reports WHERE id NOT IN (SELECT id FROM reports ORDER BY to_ms DESC, id LIMIT ?)',
      REPORTS_KEPT,
    )
  }

  kept(id: string): RoomReport | null {
    const query = 'SELECT report FROM reports WHERE id = ?'
    const [row] = this.#sources.sql.exec<{ report: string }>(query, id).toArray()
    return row ? (JSON.parse(row.report) as RoomReport) : null
  }

  /** Returns the kept reports, newest first. */
  list(): ReportListed[] {
    const query = `SELECT id, report ->> 'event' AS event, report ->> 'fromMs' AS fromMs, to_ms AS toMs,
      report ->> 'madeAtMs' AS madeAtMs, report ->> '$.figures.admitted' AS admitted
      FROM reports ORDER BY to_ms DESC, id`
    return this.#sources.sql.exec<Record<string, SqlStorageValue>>(query).toArray() as unknown as ReportListed[]
  }
}

/**
 * Returns the id of a report, such as `black-friday-20261127T2100Z`. An event that is moved and ends again gets a
 * second report.
 */
function idOf(name: string, endMs: number): string {
  return `${name}-${new Date(endMs).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`
}

function reported({ atMs, actor, action, subject, before, after }: AuditEntry): ReportedDeed {
  const changed = Object.keys({ ...before, ...after }).map(setting => ({
    setting,
    before: inShort(before?.[setting]),
    after: inShort(after?.[setting]),
  }))
  return { atMs, actor, action, subject, changed }
}

function inShort(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX - 3)}...` : text
}
