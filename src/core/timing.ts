/** Times that several parts share. Most of them are about how soon each tier knows what the room has decided. */

/** A door and an edge may each decide about newcomers with a snapshot that is at most this old. */
export const SNAPSHOT_FOR_MS = 1_000

/**
 * Every decision of the room is in force at every edge within this time (I10). A door asks the room again when its
 * snapshot is too old. An edge asks its door again when its own snapshot is too old.
 */
export const IN_FORCE_WITHIN_MS = 2 * SNAPSHOT_FOR_MS

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

/** An active door reports to its room this often. */
export const DOOR_REPORTS_EVERY_MS = 1_000
/**
 * After this long without an answer an isolate takes a new id. A door remembers the last report of each id for longer,
 * so that no repeated report is counted twice.
 */
export const ISOLATE_SILENT_MS = 60_000

/** A claim waits at its door for the room's answer at most this long. */
export const CLAIM_AWAITED_MS = 1_000

/** Alarms for the ends of sessions are rounded up to this step. */
const ALARM_STEP_MS = 1_000

/** Returns when a door must wake for the end of a session. */
export function alarmAtMs(endMs: number, nowMs: number): number {
  return Math.ceil(Math.max(endMs, nowMs) / ALARM_STEP_MS) * ALARM_STEP_MS
}
