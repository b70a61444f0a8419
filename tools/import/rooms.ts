/** Makes our rooms from waiting rooms of Cloudflare, and lists the parts that we have no counterpart for. */
import { type Bypass, bypassFrom } from './bypass.ts'
import type { CloudflareRoom, CloudflareZone } from './read.ts'

interface Imported {
  readonly rooms: readonly Readonly<Record<string, unknown>>[]
  /** Sentences. Each names the room and the part that was not carried over, and explains what to do. */
  readonly notCarriedOver: readonly string[]
}

type Values = Readonly<Record<string, unknown>>

/** Settings that have the same name and meaning. */
const SAME = [
  'total_active_users',
  'new_users_per_minute',
  'session_duration',
  'disable_session_renewal',
  'queue_all',
  'suspended',
  'queueing_method',
  'queueing_status_code',
  'custom_page_html',
  'cookie_suffix',
] as const
const SAME_OF_EVENTS = [
  'description',
  'event_start_time',
  'event_end_time',
  'prequeue_start_time',
  'shuffle_at_event_start',
  'suspended',
  'total_active_users',
  'new_users_per_minute',
  'session_duration',
  'disable_session_renewal',
  'queueing_method',
  'custom_page_html',
] as const

export function importRooms({ rooms, searchEnginesPass }: CloudflareZone, nowMs: number): Imported {
  const notes: string[] = []
  const imported = rooms.map(room => importRoom(room, searchEnginesPass, nowMs, text => notes.push(text)))
  return { rooms: imported, notCarriedOver: notes }
}

function importRoom(
  room: CloudflareRoom,
  searchEnginesPass: boolean,
  nowMs: number,
  note: (text: string) => void,
): Values {
  const { values } = room
  const name = nameFrom(String(values.name ?? ''))
  const say = (text: string) => note(`${name}: ${text}`)
  if (name !== values.name) say(`the name ${String(values.name)}. It is ${name} now, and names the cookie`)
  const bypass = bypassRules(room, say)
  if (searchEnginesPass) bypass.push({ verified_crawler: true })
  const events = room.events.flatMap(event => importEvent(event, nowMs, say))
  sayWhatIsMissing(values, say)
  const attributes = first(values.cookie_attributes)
  return {
    name,
    host: values.host,
    ...set({ path: values.path }),
    ...set(Object.fromEntries(SAME.map(setting => [setting, values[setting]]))),
    ...list('additional_routes', routesOf(values.additional_routes)),
    ...(attributes ? { cookie_attributes: set({ samesite: attributes.samesite, secure: attributes.secure }) } : {}),
    ...list('bypass', bypass),
    ...list('events', events),
  }
}

function bypassRules({ rules }: CloudflareRoom, say: (text: string) => void): Bypass[] {
  return rules.flatMap(rule => {
    const found = bypassFrom(rule)
    if (typeof found !== 'string') return found
    say(`the rule "${rule.description || rule.expression}": ${found}`)
    return []
  })
}

function importEvent(event: Values, nowMs: number, say: (text: string) => void): Values[] {
  const name = String(event.name)
    .replace(/[^\w-]+/g, '-')
    .slice(0, 64)
  if (Date.parse(String(event.event_end_time)) <= nowMs) {
    say(`the event ${name}: it is over`)
    return []
  }
  if (isOn(event.turnstile_mode)) say(`Turnstile of the event ${name}: there are no challenges yet`)
  return [{ name, ...set(Object.fromEntries(SAME_OF_EVENTS.map(setting => [setting, event[setting]]))) }]
}

function sayWhatIsMissing(values: Values, say: (text: string) => void): void {
  if (isOn(values.turnstile_mode))
    say('turnstile_mode: there are no challenges yet. Rate limits and invitations may do')
  const language = values.default_template_language
  if (typeof language === 'string' && language !== '' && language !== 'en-US')
    say(`default_template_language ${language}: pages speak the language of each visitor (docs/languages.md)`)
  if (values.json_response_enabled === false)
    say('json_response_enabled = false: programs that ask for JSON always get it')
  const commands = values.enabled_origin_commands
  if (!Array.isArray(commands) || !commands.includes('revoke'))
    say('enabled_origin_commands without revoke: the origin may always end a session, if it sends that header')
}

/** Returns a name that a room may have. */
function nameFrom(name: string): string {
  const plain = name.replace(/[^a-z0-9_-]+/gi, '-').replace(/^[_-]+/, '')
  return plain.slice(0, 32) || 'room'
}

function routesOf(routes: unknown): Values[] {
  const all = Array.isArray(routes) ? (routes as Values[]) : []
  return all.map(({ host, path }) => ({ host, ...set({ path }) }))
}

/** Returns the only block of a list, because Terraform stores a single block as a list. */
function first(value: unknown): Values | null {
  const one = Array.isArray(value) ? value[0] : value
  return typeof one === 'object' && one !== null ? (one as Values) : null
}

/** Leaves out values that are not set. The API and Terraform use null or an empty text for them. */
function set(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => ![undefined, null, ''].includes(value as null)),
  )
}

function list(name: string, values: readonly unknown[]): Values {
  return values.length === 0 ? {} : { [name]: values }
}

function isOn(mode: unknown): boolean {
  return typeof mode === 'string' && mode !== '' && mode !== 'off'
}
