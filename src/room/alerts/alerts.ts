/** The alerts of a room. It judges its rules by the figures of the room, and hands notices to the outbox. */
import { advanceEpisode, awaitsTime, type Episode, NO_EPISODE } from '../../core/alerts/episodes.ts'
import { type Notice, wordsFor } from '../../core/alerts/notices.ts'
import {
  type AlertFigures,
  type AlertRule,
  judgeCondition,
  LASTING,
  type LastingKind,
  type MomentKind,
} from '../../core/alerts/rules.ts'
import type { AlertReport } from '../../core/protocol/alerts.ts'
import { log } from '../../runtime/log.ts'
import { type Receiver, type ReceiverVariables, readReceivers } from '../../settings/admin/receivers.ts'
import { SettingsError } from '../../settings/messages.ts'
import type { EventTurn } from '../log.ts'
import { Outbox, type Send } from './outbox.ts'

/** While reports come, rules are judged at most this often. Otherwise the alarm judges them this often. */
const JUDGED_EVERY_MS = 5_000
const WOKEN_EVERY_MS = 30_000

/** The parts of a room that its alerts need. */
interface AlertRoom {
  readonly name: string
  readonly sql: SqlStorage
  readonly variables: ReceiverVariables
  readonly send: Send
}

export class Alerts {
  readonly #room: AlertRoom
  readonly #outbox: Outbox
  readonly #receivers: readonly Receiver[]
  readonly #episodes: Map<string, Episode>
  #judgedAtMs = Number.NEGATIVE_INFINITY

  /** The store of the room has created the tables. */
  constructor(room: AlertRoom) {
    this.#room = room
    this.#outbox = new Outbox(room.sql, room.send)
    this.#receivers = receiversOf(room)
    const [row] = room.sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'alerts'").toArray()
    this.#episodes = new Map(row ? (JSON.parse(row.value) as [string, Episode][]) : [])
  }

  /** Judges the rules, unless there are none or they were judged a moment ago. */
  follow(rules: readonly AlertRule[], figures: () => AlertFigures, nowMs: number): void {
    const lasting = rules.filter(isLasting)
    const isSoon = nowMs >= this.#judgedAtMs && nowMs - this.#judgedAtMs < JUDGED_EVERY_MS
    if (isSoon || (lasting.length === 0 && this.#episodes.size === 0)) return
    this.#judgedAtMs = nowMs
    const before = JSON.stringify([...this.#episodes])
    for (const name of this.#episodes.keys()) if (!lasting.some(rule => rule.name === name)) this.#episodes.delete(name)
    const now = lasting.length > 0 ? figures() : null
    if (now) for (const rule of lasting) this.#judge(rule, now, nowMs)
    if (JSON.stringify([...this.#episodes]) !== before) this.#save()
  }

  #judge(rule: AlertRule & { readonly when: LastingKind }, figures: AlertFigures, nowMs: number): void {
    const { holds, value } = judgeCondition(rule.when, rule.threshold, figures)
    const before = this.#episodes.get(rule.name) ?? NO_EPISODE
    const { episode, notice } = advanceEpisode(rule, before, holds, nowMs)
    this.#episodes.set(rule.name, episode)
    if (notice === null) return
    const begunMs = (notice === 'firing' ? episode : before).firedAtMs ?? nowMs
    const text = wordsFor(rule, notice, value)
    this.#tell(rule, { state: notice, episode: this.#id(rule, begunMs), text, value, atMs: nowMs })
  }

  /** Sends notices for events that begin or end. */
  turns(rules: readonly AlertRule[], turns: readonly EventTurn[], atMs: number): void {
    for (const { turn, name } of turns) {
      if (turn === 'event-begun') this.moment(rules, 'event_started', `the event ${name} has started`, atMs)
      if (turn === 'event-ended') this.moment(rules, 'event_ended', `the event ${name} has ended`, atMs)
    }
  }

  /** Sends notices for something that happened at one moment. `text` describes it in one line. */
  moment(rules: readonly AlertRule[], when: MomentKind, text: string, nowMs: number): void {
    // New settings may have other rules and limits, so they are judged at once.
    if (when === 'settings_changed') this.#judgedAtMs = Number.NEGATIVE_INFINITY
    for (const rule of rules.filter(rule => rule.when === when))
      this.#tell(rule, { state: 'once', episode: this.#id(rule, nowMs), text, value: null, atMs: nowMs })
  }

  /** Sends a test notice. Returns false if there is no such receiver. */
  test(receiver: string, nowMs: number): boolean {
    if (!this.#receivers.some(({ name }) => name === receiver)) return false
    const about = { room: this.#room.name, alert: 'test', when: 'test' as const, state: 'once' as const }
    const text = 'this is a test of alerts, and nothing is wrong'
    const figures = { value: null, threshold: null, atMs: nowMs }
    this.#outbox.add(receiver, { ...about, ...figures, text, episode: `${this.#room.name}/test/${nowMs}` }, nowMs)
    return true
  }

  /** Sends the notices that are due. Never throws. */
  send(nowMs: number): Promise<void> {
    return this.#outbox.run(this.#receivers, nowMs)
  }

  /**
   * Returns when the room must wake for its alerts, or null. `isIdle`: no visitor is inside or waits. `nextTurnMs`:
   * when the next event begins or ends.
   */
  nextMs(
    rules: readonly AlertRule[],
    { isIdle, nextTurnMs }: { readonly isIdle: boolean; readonly nextTurnMs: number | null },
    nowMs: number,
  ): number | null {
    const lasting = rules.filter(isLasting)
    const goesOn = lasting.some(({ name, when }) => awaitsTime(when, this.#episodes.get(name) ?? NO_EPISODE))
    const judged = lasting.length > 0 && (!isIdle || goesOn) ? nowMs + WOKEN_EVERY_MS : null
    const turn = rules.some(({ when }) => when.startsWith('event_')) ? nextTurnMs : null
    const moments = [judged, turn, this.#outbox.nextMs(nowMs)].filter(moment => moment !== null)
    return moments.length === 0 ? null : Math.min(...moments)
  }

  report(rules: readonly AlertRule[]): AlertReport {
    return {
      rules: rules.map(rule => {
        const { resolvedAtMs = null, ...episode } = this.#episodes.get(rule.name) ?? NO_EPISODE
        return { ...rule, ...episode, resolvedAtMs }
      }),
      receivers: this.#receivers.map(({ name, format, url }) => ({ name, format, host: new URL(url).host })),
      deliveries: this.#outbox.deliveries(),
    }
  }

  #id({ name }: AlertRule, atMs: number): string {
    return `${this.#room.name}/${name}/${atMs}`
  }

  #tell(rule: AlertRule, about: Pick<Notice, 'state' | 'episode' | 'text' | 'value' | 'atMs'>): void {
    const { name: alert, when, threshold } = rule
    log('alert', { room: this.#room.name, alert, state: about.state, detail: about.text })
    for (const receiver of rule.to)
      this.#outbox.add(receiver, { room: this.#room.name, alert, when, threshold, ...about }, about.atMs)
  }

  #save(): void {
    this.#room.sql.exec(
      "INSERT INTO facts (name, value) VALUES ('alerts', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
      JSON.stringify([...this.#episodes]),
    )
  }
}

function isLasting(rule: AlertRule): rule is AlertRule & { readonly when: LastingKind } {
  return rule.when in LASTING
}

/** A broken secret must not close the room for visitors. The problem is logged, and no notice is sent. */
function receiversOf({ name, variables }: AlertRoom): readonly Receiver[] {
  try {
    return readReceivers(variables)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    log('configuration-refused', { room: name, detail: error.message })
    return []
  }
}
