/** The part of the Room object that operators work with: its settings, its audit log, its alerts and its reports. */
import { retryable } from 'cloudflare:durable-objects'
import { DurableObject } from 'cloudflare:workers'
import type { AlertRule } from '../core/alerts/rules.ts'
import type { AlertCalls, AlertReport } from '../core/protocol/alerts.ts'
import type { AuditCalls, AuditEntry, AuditQuery, Deed } from '../core/protocol/audit.ts'
import type { Change, ReportListed, RoomReport } from '../core/protocol/calls.ts'
import type { ReportCalls } from '../core/protocol/history.ts'
import type { MadeToken, NewToken, OperatorCalls, SocketCalls } from '../core/protocol/operators.ts'
import { alertRulesOf } from '../settings/admin/alert-rules.ts'
import { firstTokenEndMs, secretNames } from '../settings/admin/secret-names.ts'
import { type Deployment, readDeployment } from '../settings/deployment.ts'
import { type Env, OPERATORS } from '../settings/env.ts'
import { parseRooms } from '../settings/rooms.ts'
import { Alerts } from './alerts/alerts.ts'
import { AuditLog } from './audit.ts'
import { DashboardSockets } from './dashboard-sockets.ts'
import type { RoomReports } from './history/reports.ts'
import { LiveSettings } from './live-settings.ts'
import { OperatorTokens } from './operator-tokens.ts'
import { RoomStore } from './store.ts'
import { WakeUps } from './wake-ups.ts'

/** The settings of the object that stores the tokens of operators. No visitor comes to it. */
const [WITHOUT_VISITORS] = parseRooms([
  { name: 'operators', host: 'operators.invalid', total_active_users: 1, new_users_per_minute: 0 },
])

export abstract class OperatedRoom
  extends DurableObject<Env>
  implements AuditCalls, AlertCalls, ReportCalls, OperatorCalls, SocketCalls
{
  static {
    const { reports, report, tokens, tokenUsed, endSockets } = OperatedRoom.prototype
    retryable(reports, report, tokens, tokenUsed, endSockets)
  }

  protected readonly name: string
  protected readonly deployment: Deployment
  protected readonly store: RoomStore
  protected readonly live: LiveSettings
  protected readonly auditLog: AuditLog
  protected readonly alerts: Alerts
  protected readonly wakeUps: WakeUps
  protected readonly sockets: DashboardSockets
  readonly #tokens: OperatorTokens
  /** The room sets this, because reports are made from its history. */
  protected keptReports!: RoomReports

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const name = ctx.id.name ?? ''
    this.name = name
    this.deployment = readDeployment(env)
    const file = name === OPERATORS ? WITHOUT_VISITORS : this.deployment.rooms.find(room => room.name === name)
    if (!file) throw new Error(`no room named ${name} in this deployment`)
    const { sql } = ctx.storage
    this.store = new RoomStore(sql)
    this.live = new LiveSettings(file, this.store)
    this.auditLog = new AuditLog(sql)
    this.#tokens = new OperatorTokens(sql)
    this.auditLog.noteSecrets(secretNames(env, name), Date.now())
    const send = (url: string, init: RequestInit) => (env.ALERT_SERVICE ?? globalThis).fetch(url, init)
    this.alerts = new Alerts({ name, sql, variables: env, send })
    this.wakeUps = new WakeUps(ctx.storage)
    this.sockets = new DashboardSockets(ctx)
  }

  /** Opens the socket of a dashboard. */
  override async fetch(request: Request): Promise<Response> {
    return this.sockets.open(request, Date.now())
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    this.sockets.refuseMessage(socket)
  }

  /** Completes the closing handshake (RFC 6455, section 7.1.2), so that the platform forgets the socket. */
  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close()
  }

  async endSockets(tokenId: string): Promise<void> {
    this.sockets.end(tokenId)
  }

  async changes(): Promise<readonly Change[]> {
    return this.store.changes()
  }

  async audit(query: AuditQuery): Promise<readonly AuditEntry[]> {
    return this.auditLog.entries(query)
  }

  async record(deed: Deed): Promise<void> {
    const nowMs = Date.now()
    this.auditLog.note(deed, nowMs)
    if (deed.action !== 'logged-in') this.sockets.hint(nowMs)
  }

  async tokens(): Promise<readonly MadeToken[]> {
    return this.#tokens.all()
  }

  async addToken(token: NewToken): Promise<MadeToken | null> {
    return this.#tokens.add(token, Date.now())
  }

  async revokeToken(id: string, by: string): Promise<MadeToken | null> {
    return this.#tokens.revoke(id, by, Date.now())
  }

  async tokenUsed(id: string): Promise<void> {
    this.#tokens.used(id, Date.now())
  }

  async alertReport(): Promise<AlertReport> {
    return this.alerts.report(this.rulesOfAlerts())
  }

  async testAlert(receiver: string): Promise<boolean> {
    const nowMs = Date.now()
    if (!this.alerts.test(receiver, nowMs)) return false
    await this.wakeUps.at([nowMs], nowMs)
    return true
  }

  async reports(): Promise<readonly ReportListed[]> {
    this.passTime(Date.now())
    return this.keptReports.list()
  }

  async report(asked: { id: string } | { fromMs: number; toMs: number }): Promise<RoomReport | null> {
    const nowMs = Date.now()
    this.passTime(nowMs)
    return 'id' in asked ? this.keptReports.kept(asked.id) : this.keptReports.make(asked, this.live.settings, nowMs)
  }

  /**
   * Lets time pass without a report from a door. If an event starts now, it is stored before any answer contains its
   * start. A lane that a new file adds or removes is stored, too.
   */
  protected abstract passTime(nowMs: number): void

  /** Records a live change, and notifies every receiver that wants each change. */
  protected noteChange(deed: Deed, nowMs: number): void {
    this.auditLog.add(deed, nowMs)
    const names = Object.keys(deed.after ?? {}).join(', ')
    this.alerts.moment(this.rulesOfAlerts(), 'settings_changed', `${deed.actor} has changed ${names}`, nowMs)
  }

  protected tokenEndsInMs(nowMs: number): number | null {
    const endMs = firstTokenEndMs(this.env)
    return endMs === null ? null : Math.max(0, endMs - nowMs)
  }

  protected rulesOfAlerts(): readonly AlertRule[] {
    return alertRulesOf(this.live.settings.config.alerts)
  }
}
