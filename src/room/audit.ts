/**
 * The storage of a room's audit log. The log is limited by age and by number of entries, and each value by its length.
 * A person who floods it pushes out only entries of their own.
 */
import type { AuditEntry, AuditQuery, Deed, Proof } from '../core/protocol/audit.ts'
import { HOUR_MS } from '../core/timing.ts'
import type { SecretNames } from '../settings/admin/secret-names.ts'
import type { LiveChange } from '../settings/changes.ts'
import type { RoomConfig } from '../settings/schema.ts'

const ENTRIES_KEPT = 10_000
/** Logins have a limit of their own. Otherwise viewers on many networks could push out other entries. */
const LOGINS_KEPT = 2_000
/** Within this time further logins from the same network are not recorded. */
const LOGIN_MS = 12 * HOUR_MS
/** Within this time changes of the same settings by one person become one entry. */
const MERGED_MS = 60_000
/** A change is merged only into one of this many newest entries, so that no change reads the whole log. */
const MERGED_AMONG = 200
const KEPT_MS = 400 * 24 * HOUR_MS
/** A longer value is cut. So no entry takes more than a few kilobytes, whatever the settings contain. */
const VALUE_CHARACTERS_MAX = 1_000
/** The most characters of values in one answer. Ten thousand long entries would exhaust the memory of the object. */
const ANSWER_CHARACTERS_MAX = 4_000_000

interface Row extends Record<string, SqlStorageValue> {
  id: number
  at_ms: number
  actor: string
  proof: string
  network: string | null
  action: string
  subject: string | null
  before_json: string | null
  after_json: string | null
  times: number
  last_ms: number | null
}

export class AuditLog {
  readonly #sql: SqlStorage

  /** The store of the room has created the tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** Records a deed, unless it is a login that was already recorded within `LOGIN_MS`. */
  note(deed: Deed, nowMs: number): void {
    if (deed.action === 'logged-in' && this.#isKnownLogin(deed, nowMs)) return
    this.add(deed, nowMs)
  }

  #isKnownLogin({ actor, by, network }: Deed, nowMs: number): boolean {
    const query = `SELECT 1 FROM audit WHERE action = 'logged-in' AND actor = ? AND proof = ? AND network IS ?
      AND at_ms > ? LIMIT 1`
    return this.#sql.exec(query, actor, by, network, nowMs - LOGIN_MS).toArray().length > 0
  }

  add(deed: Deed, nowMs: number): void {
    if (this.#isMerged(deed, nowMs)) return
    const { actor, by, network, action, subject, before, after } = deed
    const values = [nowMs, actor, by, network, action, subject, inJson(before), inJson(after)]
    this.#sql.exec(
      `INSERT INTO audit (at_ms, actor, proof, network, action, subject, before_json, after_json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...values,
    )
    this.#sql.exec('DELETE FROM audit WHERE at_ms < ?', nowMs - KEPT_MS)
    if (action === 'logged-in') this.#keep("action = 'logged-in'", LOGINS_KEPT)
    else this.#keep("action <> 'logged-in'", ENTRIES_KEPT)
  }

  /**
   * Merges a change into the entry that it continues: the same settings, changed by the same person a moment ago. The
   * entry keeps the values before its first change, and gets the values after this one.
   */
  #isMerged({ actor, by, network, action, before, after }: Deed, nowMs: number): boolean {
    if (action !== 'settings-set') return false
    const query = `SELECT id FROM audit WHERE id > (SELECT MAX(id) FROM audit) - ${MERGED_AMONG} AND actor = ?
      AND proof = ? AND network IS ? AND action = ? AND after_json = ? AND at_ms > ? AND at_ms <= ?
      ORDER BY id DESC LIMIT 1`
    const wanted = [actor, by, network, action, inJson(before), nowMs - MERGED_MS, nowMs]
    const [row] = this.#sql.exec<{ id: number }>(query, ...wanted).toArray()
    if (!row) return false
    const update = 'UPDATE audit SET after_json = ?, times = times + 1, last_ms = ? WHERE id = ?'
    this.#sql.exec(update, inJson(after), nowMs, row.id)
    return true
  }

  /** Deletes the oldest entries beyond `kept`. They are of the person and the action with the most entries. */
  #keep(ofKind: string, kept: number): void {
    const query = `SELECT actor, action, COUNT(*) AS n FROM audit WHERE ${ofKind} GROUP BY actor, action ORDER BY n DESC`
    const shares = this.#sql.exec<{ actor: string; action: string; n: number }>(query).toArray()
    const excess = shares.reduce((sum, { n }) => sum + n, 0) - kept
    const [largest] = shares
    if (excess <= 0 || !largest) return
    const oldest = 'SELECT id FROM audit WHERE actor = ? AND action = ? ORDER BY id LIMIT ?'
    this.#sql.exec(`DELETE FROM audit WHERE id IN (${oldest})`, largest.actor, largest.action, excess)
  }

  /**
   * Returns the entries, newest first. If the entries are long, it returns fewer than requested. `beforeId` continues.
   */
  entries({ actor, action, fromMs, toMs, beforeId, limit }: AuditQuery): AuditEntry[] {
    const query = `SELECT * FROM audit WHERE at_ms >= ?1 AND at_ms < ?2 AND (?3 IS NULL OR actor = ?3)
      AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR id < ?5) ORDER BY id DESC LIMIT ?6`
    const found: AuditEntry[] = []
    let characters = 0
    for (const row of this.#sql.exec<Row>(query, fromMs, toMs, actor, action, beforeId, limit)) {
      found.push(entryOf(row))
      characters += (row.before_json?.length ?? 0) + (row.after_json?.length ?? 0)
      if (characters > ANSWER_CHARACTERS_MAX) break
    }
    return found
  }

  /** Returns the newest entries of a time that are no logins, newest first. Logins cannot push these out. */
  deeds(fromMs: number, toMs: number, limit: number): AuditEntry[] {
    const query = `SELECT * FROM audit WHERE at_ms >= ? AND at_ms < ? AND action <> 'logged-in' ORDER BY id DESC LIMIT ?`
    return this.#sql.exec<Row>(query, fromMs, toMs, limit).toArray().map(entryOf)
  }

  /**
   * Records which named tokens and invitation keys were added or removed since this room last looked. They are made
   * outside of the Worker, so the room can only compare its secrets with the former ones.
   */
  noteSecrets(present: SecretNames, nowMs: number): void {
    const query = "SELECT value FROM facts WHERE name = 'secrets'"
    const [row] = this.#sql.exec<{ value: string }>(query).toArray()
    const known = row ? (JSON.parse(row.value) as SecretNames) : { tokens: [], invitationKeys: [] }
    const tokens = present.tokens ?? known.tokens ?? []
    const deeds = [
      ...differences(known.tokens ?? [], tokens, 'token'),
      ...differences(known.invitationKeys, present.invitationKeys, 'invitation-key'),
    ]
    if (deeds.length === 0) return
    for (const deed of deeds) this.add(deed, nowMs)
    this.#sql.exec(
      "INSERT INTO facts (name, value) VALUES ('secrets', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
      JSON.stringify({ ...present, tokens }),
    )
  }
}

/** The proof of changes that no operator has requested. */
export const OWN: Proof = { by: 'deployment', network: null }

/** Returns a live change as a deed: the settings that differ, with their values before and after. */
export function changeAsDeed(
  { request, config: after }: Pick<LiveChange, 'request' | 'config'>,
  before: RoomConfig,
  who: Proof & Pick<Deed, 'actor'>,
): Deed {
  const names = (Object.keys(after) as (keyof RoomConfig)[]).filter(
    name => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  return {
    ...who,
    action: 'set' in request ? 'settings-set' : 'settings-reset',
    subject: null,
    before: Object.fromEntries(names.map(name => [name, before[name]])),
    after: Object.fromEntries(names.map(name => [name, after[name]])),
  }
}

function differences(before: readonly string[], after: readonly string[], kind: 'token' | 'invitation-key'): Deed[] {
  const deed = (subject: string, action: Deed['action']): Deed => ({
    ...OWN,
    ...{ actor: 'deployment', action, subject, before: null, after: null },
  })
  return [
    ...after.filter(name => !before.includes(name)).map(name => deed(name, `${kind}-added`)),
    ...before.filter(name => !after.includes(name)).map(name => deed(name, `${kind}-removed`)),
  ]
}

/** A value that lets requests by, of a header, cookie or query, may be a secret and is hidden. Long values are cut. */
function inJson(values: Deed['before']): string | null {
  if (values === null) return null
  const entries = Object.entries(values).map(([name, value]) => {
    const hidden = JSON.stringify(value, (key, part: unknown) =>
      (key === 'value' || key === 'prefix') && typeof part === 'string' ? '(hidden)' : part,
    )
    const isShort = (hidden ?? 'null').length <= VALUE_CHARACTERS_MAX
    return [name, isShort ? JSON.parse(hidden ?? 'null') : `${hidden.slice(0, VALUE_CHARACTERS_MAX)}...`]
  })
  return JSON.stringify(Object.fromEntries(entries))
}

function entryOf(row: Row): AuditEntry {
  const parsed = (text: string | null) => (text === null ? null : (JSON.parse(text) as Deed['before']))
  return {
    id: row.id,
    atMs: row.at_ms,
    actor: row.actor,
    by: row.proof as Deed['by'],
    network: row.network,
    action: row.action as Deed['action'],
    subject: row.subject,
    before: parsed(row.before_json),
    after: parsed(row.after_json),
    times: row.times,
    lastAtMs: row.last_ms ?? row.at_ms,
  }
}
