/** The alerts and the audit log of a room, and the tokens of operators, in the fake admin API. */
import { fail, invalid } from '../../src/admin/refusals.ts'
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
  /** The times at which each rule fired and was resolved, by the name of the rule. */
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

export class FakeTokens {
  readonly all: Record<string, unknown>[] = []

  answer(method: string, id: string | undefined, body: unknown): Response {
    if (method === 'GET') return Response.json({ tokens: this.all })
    if (method === 'DELETE') {
      const found = this.all.find(one => one.id === id && one.revokedAtMs === null)
      Object.assign(found ?? {}, { revokedAtMs: Date.now(), revokedBy: 'ana' })
      return found ? new Response(null, { status: 204 }) : fail(404, 'No such token')
    }
    const { name, role, days } = Object(body) as { name: string; role: string; days: number }
    if (!name) return invalid([{ path: 'name', message: 'must be 1 to 40 letters' }])
    const token = { ...fakeToken(`id-${this.all.length}`, name), role, endsAtMs: Date.now() + days * 86_400_000 }
    this.all.unshift(token)
    return Response.json({ ...token, token: `antesala_${'x'.repeat(43)}` })
  }
}

export function fakeToken(id: string, name: string) {
  const made = { madeBy: 'ana', madeAtMs: Date.now(), lastUsedAtMs: null, revokedAtMs: null, revokedBy: null }
  return { from: 'dashboard', id, name, role: 'viewer', endsAtMs: Date.now() + 86_400_000, ...made }
}

export function deed(id: number, action: AuditAction, atMs = Date.now() - 5 * MINUTE_MS): AuditEntry {
  const who = { actor: 'Bo', by: 'token' as const, network: '203.0.113/24' }
  return { id, atMs, ...who, action, subject: null, before: null, after: null, times: 1, lastAtMs: atMs }
}
