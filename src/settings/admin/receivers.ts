/**
 * Receivers of alerts: the secret `ALERT_RECEIVERS`. Addresses of chats and keys of pagers are secrets, so rooms refer
 * to a receiver only by its name.
 */
import ipaddr from 'ipaddr.js'
import * as z from 'zod'
import { oneOf, problemsOf, SettingsError, textThat } from '../messages.ts'
import { receiverName } from './alert-rules.ts'

const FORMATS = ['standard', 'slack', 'teams', 'discord', 'pagerduty', 'opsgenie', 'ntfy'] as const
export type ReceiverFormat = (typeof FORMATS)[number]

const RECEIVERS_MAX = 20
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/i
/** The key of Standard Webhooks, in base64 after its prefix: 24 to 64 bytes. */
const SIGNING_SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

const receiverSchema = z
  .strictObject({
    name: receiverName(),
    format: oneOf(...FORMATS).default('standard'),
    url: textThat(text => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'an address'),
    secret: textThat(text => SIGNING_SECRET.test(text), 'whsec_ and 24 to 64 bytes in base64').optional(),
    key: z.string().min(1).max(200).optional(),
  })
  .superRefine(({ format, secret, key }, context) => {
    if (format === 'standard' && secret === undefined)
      context.addIssue({ code: 'custom', path: ['secret'], message: 'is required, and signs each notice' })
    if ((format === 'pagerduty' || format === 'opsgenie') && key === undefined)
      context.addIssue({ code: 'custom', path: ['key'], message: `is required: the key of ${format}` })
  })

export type Receiver = z.output<typeof receiverSchema>

export interface ReceiverVariables {
  readonly ALERT_RECEIVERS?: string
  /** With any text except `0` and `false`, alerts may go to private addresses and over http. */
  readonly ALERT_PRIVATE_RECEIVERS?: string
}

/** Returns the receivers. Throws SettingsError, whose message never contains an address or a key. */
export function readReceivers(variables: ReceiverVariables): readonly Receiver[] {
  const { ALERT_RECEIVERS: text = '' } = variables
  if (text.trim() === '') return []
  const parsed = z.array(receiverSchema).max(RECEIVERS_MAX).safeParse(fromText(text), { reportInput: true })
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, 'ALERT_RECEIVERS')
    throw new SettingsError(problems.map(({ path, message }) => ({ path, message: message.split(', got ')[0] ?? '' })))
  }
  const mayBePrivate = allowsPrivate(variables)
  const refused = parsed.data.flatMap(({ url, name }, index) => {
    const path = `ALERT_RECEIVERS[${index}].url`
    const isRepeated = parsed.data.findIndex(other => other.name === name) < index
    if (isRepeated) return [{ path: `ALERT_RECEIVERS[${index}].name`, message: 'must be unique' }]
    if (mayBePrivate || isPublicHttps(new URL(url))) return []
    return [{ path, message: 'must be https at a public address, or set ALERT_PRIVATE_RECEIVERS' }]
  })
  if (refused.length > 0) throw new SettingsError(refused)
  return parsed.data
}

export function allowsPrivate({ ALERT_PRIVATE_RECEIVERS: text = '' }: ReceiverVariables): boolean {
  return !['', '0', 'false'].includes(text)
}

/**
 * True if a URL is https and not at a private address. A host name may still lead to a private address. On your own
 * server the runtime refuses such a connection.
 */
function isPublicHttps({ protocol, hostname, username }: URL): boolean {
  if (protocol !== 'https:' || username !== '') return false
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (ipaddr.isValid(host)) return ipaddr.parse(host).range() === 'unicast'
  return host.includes('.') && !PRIVATE_NAME.test(host)
}

function fromText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SettingsError([{ path: 'ALERT_RECEIVERS', message: 'must be a JSON list of receivers' }])
  }
}
