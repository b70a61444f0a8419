/** The audit log of a room: who did what, when and from where. No caller can choose the name in it. */

/**
 * How the room knows the operator's name. `deployment` means that a secret was changed, so it was a person who may
 * deploy.
 */
export interface Proof {
  readonly by: 'token' | 'access' | 'deployment'
  /** The network (/24 or /64) of the request; null where it is unknown. */
  readonly network: string | null
}

export const AUDIT_ACTIONS = [
  'logged-in',
  'settings-set',
  'settings-reset',
  'ceiling-lifted',
  'session-ended',
  'alert-tested',
  'token-added',
  'token-removed',
  'invitation-key-added',
  'invitation-key-removed',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** One deed before it is recorded. `before` and `after` contain the values of the settings that the deed changed. */
export interface Deed extends Proof {
  readonly actor: string
  readonly action: AuditAction
  /** The session, token or key that the deed is about. Null for a change of settings, which `after` names. */
  readonly subject: string | null
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

export interface AuditEntry extends Deed {
  /** Each entry of a room has a higher id than the one before. */
  readonly id: number
  readonly atMs: number
  /** How many changes the entry stands for. Changes of the same settings within a minute are one entry. */
  readonly times: number
  /** When the last of these changes was made. */
  readonly lastAtMs: number
}

/** The conditions for the entries that an operator wants to see. A condition that is null does not apply. */
export interface AuditQuery {
  readonly actor: string | null
  readonly action: AuditAction | null
  readonly fromMs: number
  readonly toMs: number
  /** Only entries with a lower id are returned. With the lowest id of a page, this is the next page. */
  readonly beforeId: number | null
  readonly limit: number
}

export interface AuditCalls {
  /** Returns entries of the audit log, newest first. */
  audit(query: AuditQuery): Promise<readonly AuditEntry[]>
  /** Adds to the audit log what an operator did outside of this object. */
  record(deed: Deed): Promise<void>
}
