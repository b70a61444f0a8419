// @ts-check
// Entries of the audit log in words. This file neither touches the page nor reads a clock.
import { short } from '../words.js'

/** @typedef {import('../../../src/core/protocol/audit.ts').AuditEntry} AuditEntry */
/** @typedef {import('../../../src/core/protocol/audit.ts').AuditAction} AuditAction */

/** @type {Record<AuditAction, string>} */
export const ACTIONS = {
  'logged-in': 'logged in',
  'settings-set': 'changed settings',
  'settings-reset': 'took settings back to the file',
  'ceiling-lifted': 'lifted the ceiling',
  'session-ended': 'ended a session',
  'alert-tested': 'sent a test of alerts',
  'token-added': 'added a token',
  'token-removed': 'removed a token',
  'invitation-key-added': 'added a key for invitations',
  'invitation-key-removed': 'removed a key for invitations',
}

/** Returns who did what. @param {AuditEntry} entry */
export function deedOf({ actor, action, subject, times }) {
  const about = subject === null ? '' : `: ${subject}`
  return `${actor} ${ACTIONS[action]}${about}${times > 1 ? `, ${times} times within a minute` : ''}`
}

/** Returns a line for each setting that changed. @param {AuditEntry} entry */
export function changesOf({ before, after }) {
  return Object.keys(after ?? {}).map(key => `${key}: ${short(before?.[key], 300)} → ${short(after?.[key], 300)}`)
}

/** Returns how the name was proved, and from where the request came. @param {AuditEntry} entry */
export function proofOf({ by, network }) {
  if (by === 'deployment') return 'by a deployment'
  return `by ${by === 'access' ? 'Cloudflare Access' : 'token'}, from ${network ?? 'an unknown network'}`
}
