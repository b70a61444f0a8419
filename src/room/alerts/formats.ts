/** Notices in the forms of their receivers: the body, and the headers that go with it. */
import type { Notice } from '../../core/alerts/notices.ts'
import type { Receiver } from '../../settings/admin/receivers.ts'

export interface Message {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

/**
 * Returns the message for a receiver. Only `standard` is signed: the other receivers identify the sender by the address
 * or a key.
 */
export async function messageFor(receiver: Receiver, notice: Notice, id: string, nowMs: number): Promise<Message> {
  const body = bodyFor(receiver, notice)
  switch (receiver.format) {
    case 'standard':
      return { body, headers: { ...JSON_TYPE, ...(await webhookSignature(receiver.secret ?? '', id, body, nowMs)) } }
    case 'opsgenie':
      return { body, headers: { ...JSON_TYPE, Authorization: `GenieKey ${receiver.key}` } }
    case 'ntfy':
      return { body, headers: ntfyHeaders(receiver, notice) }
    default:
      return { body, headers: JSON_TYPE }
  }
}

/** Returns the address of a notice. Only Opsgenie has a second address, for the end of an alert. */
export function addressFor({ url, format }: Receiver, { state, episode }: Notice): string {
  if (format !== 'opsgenie' || state !== 'resolved') return url
  return `${url.replace(/\/$/, '')}/${encodeURIComponent(episode)}/close?identifierType=alias`
}

function bodyFor({ format, key }: Receiver, notice: Notice): string {
  const line = `${MARKS[notice.state]} ${notice.room}: ${notice.text}`
  switch (format) {
    case 'standard':
      return JSON.stringify(standard(notice))
    case 'slack':
      return JSON.stringify({ text: line })
    case 'discord':
      return JSON.stringify({ content: line, allowed_mentions: { parse: [] } })
    case 'teams':
      return JSON.stringify(teamsCard(line))
    case 'pagerduty':
      return JSON.stringify(pagerDuty(notice, key ?? ''))
    case 'opsgenie':
      return JSON.stringify(notice.state === 'resolved' ? { source: 'antesala', note: notice.text } : opsgenie(notice))
    case 'ntfy':
      return `${notice.room}: ${notice.text}`
  }
}

const MARKS = { firing: '[firing]', resolved: '[resolved]', once: '[notice]' } as const

/** Returns the payload of Standard Webhooks: type, timestamp and data. */
function standard({ atMs, state, ...notice }: Notice) {
  return { type: `alert.${state}`, timestamp: new Date(atMs).toISOString(), data: { ...notice, state } }
}

/** Returns a card for a workflow of Teams that posts to a channel. */
function teamsCard(line: string) {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ type: 'TextBlock', text: line, wrap: true }],
  }
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  }
}

/** PagerDuty Events API v2. An alert of one moment sends no `resolve`, so a person must resolve its incident. */
function pagerDuty({ room, text, state, episode, when, value, threshold, atMs }: Notice, key: string) {
  const details = { when, value, threshold }
  const payload = { summary: `${room}: ${text}`, source: `antesala/${room}`, severity: 'warning' }
  return {
    routing_key: key,
    event_action: state === 'resolved' ? 'resolve' : 'trigger',
    dedup_key: episode,
    payload: { ...payload, timestamp: new Date(atMs).toISOString(), custom_details: details },
  }
}

function opsgenie({ room, text, episode, when }: Notice) {
  return { message: `${room}: ${text}`.slice(0, 130), alias: episode, source: 'antesala', tags: [room, when] }
}

function ntfyHeaders({ key }: Receiver, { state }: Notice): Record<string, string> {
  const shown = { Title: `antesala: ${state}`, Priority: state === 'firing' ? '4' : '3' }
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    ...shown,
    ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
  }
}

/** Returns the signature of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body. */
export async function webhookSignature(
  secret: string,
  id: string,
  body: string,
  nowMs: number,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000))
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, '')), char => char.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signed = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${id}.${timestamp}.${body}`))
  const text = btoa(String.fromCharCode(...new Uint8Array(signed)))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${text}` }
}
