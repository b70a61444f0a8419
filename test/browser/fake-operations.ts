/** The alerts and the audit log of a room in the fake admin API. */
import type { Delivery } from '../../src/core/protocol/alerts.ts'
import type { AuditAction, AuditEntry } from '../../src/core/protocol/audit.ts'
import type { Change } from '../../src/core/protocol/calls.ts'
import { alertRulesOf } from '../../src/settings/admin/alert-rules.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'

const MINUTE_MS = 60_000

export class FakeOperations {
  readonly receivers = [
    { name: 'chat', format: 'slack', host: 'hooks.slack.com' },
    { name: 'pager', format: 'pagerduty', host: 'events.pagerduty.com' },
  ]
  readonly deliveries: Delivery[] = []
  /** When each rule fired and was resolved, by its name. */
  readonly episodes: Record<string, { firedAtMs: number | null; lastFiredAtMs: number; resolvedAtMs: number | null }> =
    {}
  /** Deeds besides the live changes, newest first. */
  readonly deeds: AuditEntry[] = []

  alerts({ alerts }: RoomConfig) {
    const quiet = { firedAtMs: null, lastFiredAtMs: null, resolvedAtMs: null, changingSinceMs: null }
    const rules = alertRulesOf(alerts).map(rule => ({ ...rule, ...quiet, ...this.episodes[rule.name] }))
    return { rules, receivers: this.receivers, deliveries: this.deliveries }
  }

  test(receiver: unknown): boolean {
    if (!this.receivers.some(({ name }) => name === receiver)) return false
    const text = 'this is a test of alerts, and nothing is wrong'
    const about = { id: `msg_${this.deliveries.length}`, receiver: String(receiver), text, createdAtMs: Date.now() }
    this.deliveries.unshift({ ...about, attempts: 1, state: 'delivered', outcome: '204', nextAttemptMs: null })
    return true
  }

  audit(changes: readonly Change[], search: URLSearchParams): AuditEntry[] {
    const [before, limit] = [
      Number(search.get('before') ?? Number.MAX_SAFE_INTEGER),
      Number(search.get('limit') ?? 100),
    ]
    const made = changes.map(({ version, atMs, actor, request }): AuditEntry => {
      const after = 'set' in request ? (request.set as Record<string, unknown>) : {}
      return { ...deed(Number(version), 'settings-set', atMs), actor, before: {}, after }
    })
    return [...made, ...this.deeds]
      .filter(({ actor }) => (search.get('actor') ?? actor) === actor)
      .filter(({ action }) => (search.get('action') ?? action) === action)
      .filter(({ id }) => id < before)
      .slice(0, limit)
  }
}

export function deed(id: number, action: AuditAction, atMs = Date.now() - 5 * MINUTE_MS): AuditEntry {
  const who = { actor: 'Bo', by: 'token' as const, network: '203.0.113/24' }
  return { id, atMs, ...who, action, subject: null, before: null, after: null, times: 1, lastAtMs: atMs }
}
