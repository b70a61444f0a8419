/**
 * The log: one line of JSON for each event that matters to an operator. Single requests are logged only with the
 * variable DEBUG. No line contains a token or the sid of a session.
 */

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Every event that is logged, with its level. `docs/runbook.md` explains each of them. */
export const LOG_LEVELS = {
  /** One decision about a request. It is logged only with DEBUG. */
  decision: 'debug',
  'settings-changed': 'info',
  'prequeue-begun': 'info',
  'event-begun': 'info',
  'event-ended': 'info',
  'sold-out': 'warn',
  'in-stock': 'info',
  'ceiling-lowered': 'warn',
  'ceiling-rising': 'info',
  'ceiling-lifted': 'info',
  'breaker-open': 'warn',
  'breaker-half-open': 'info',
  'breaker-closed': 'info',
  'feature-broken': 'warn',
  'health-begun-anew': 'info',
  'door-silent': 'warn',
  'door-back': 'info',
  'room-silent': 'warn',
  'room-back': 'info',
  'origin-unreachable': 'warn',
  'origin-own-redirect': 'warn',
  'probe-failed': 'warn',
  'order-failed': 'warn',
  'session-not-renewed': 'warn',
  alert: 'info',
  'no-invitation-key': 'warn',
  'challenge-failed': 'warn',
  'no-visitor-address': 'warn',
  'change-ignored': 'error',
  'configuration-refused': 'error',
  'unexpected-error': 'error',
} as const satisfies Readonly<Record<string, Level>>

type LogEvent = keyof typeof LOG_LEVELS

/** The facts of a line: the room, if there is one, and others under names of their own. */
interface LogFacts {
  readonly room?: string | null
  readonly detail?: string
  readonly [name: string]: unknown
}

/** Writes one line. */
export function log(event: LogEvent, { room, ...facts }: LogFacts = {}): void {
  const level = LOG_LEVELS[event]
  const line = { time: new Date().toISOString(), level, event, room: room ?? null, ...facts }
  // Wrangler shows no output of `console.debug`.
  console[level === 'debug' ? 'log' : level](JSON.stringify(line))
}

/** Logs an unexpected error with its stack. Visitors do not see the error. */
export function logError(error: unknown): void {
  log('unexpected-error', { detail: error instanceof Error ? (error.stack ?? String(error)) : String(error) })
}

/** An event that repeats is logged again after this long. */
const REPEATED_AFTER_MS = 60_000

/**
 * Logs events that any request may repeat: each event at most once a minute for each room. Each isolate has a log of
 * its own, so no crowd can fill it.
 */
export class SeldomLog {
  /** When each event was last logged, by event and room. */
  readonly #loggedMs = new Map<string, number>()

  note(event: LogEvent, facts: LogFacts, nowMs: number): void {
    const key = `${event} ${facts.room ?? ''}`
    const lastMs = this.#loggedMs.get(key) ?? Number.NEGATIVE_INFINITY
    if (nowMs - lastMs < REPEATED_AFTER_MS && nowMs >= lastMs) return
    this.#loggedMs.set(key, nowMs)
    log(event, facts)
  }
}

/** Logs events that many requests would repeat, each at most once a minute. */
export const seldom = new SeldomLog()
