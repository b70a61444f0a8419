/** Waiting rooms of Cloudflare from JSON: answers of its API, or a state of Terraform. */

export interface CloudflareRule {
  readonly action: string
  readonly expression: string
  readonly description: string
  readonly enabled: boolean
}

type Values = Readonly<Record<string, unknown>>

export interface CloudflareRoom {
  readonly id: string
  readonly values: Values
  readonly rules: CloudflareRule[]
  readonly events: Values[]
}

export interface CloudflareZone {
  readonly rooms: CloudflareRoom[]
  /** The setting of the zone; false if no file contains the setting. */
  searchEnginesPass: boolean
}

interface InputFile {
  readonly name: string
  readonly text: string
}

/** A list of rules or events from the API. Such a list does not name its room. */
interface Loose {
  readonly file: string
  readonly kind: 'rules' | 'events'
  readonly values: readonly Values[]
}

const TERRAFORM = 'cloudflare_waiting_room'

/** Throws an error that names the file and what to do. */
export function readCloudflare(files: readonly InputFile[]): CloudflareZone {
  const zone: CloudflareZone = { rooms: [], searchEnginesPass: false }
  const loose: Loose[] = []
  for (const { name, text } of files) {
    const json = parsed(name, text)
    if (Array.isArray(json.resources)) readState(json.resources.filter(isObject), zone)
    else loose.push(...readAnswer(name, 'result' in json ? json.result : json, zone))
  }
  if (zone.rooms.length === 0) throw new Error('the files contain no waiting room')
  for (const { file, kind, values } of loose) {
    const room = roomOf(file, zone)
    if (kind === 'events') room.events.push(...values)
    else room.rules.push(...values.map(ruleOf))
  }
  return zone
}

function readAnswer(file: string, result: unknown, zone: CloudflareZone): Loose[] {
  if (isObject(result) && 'search_engine_crawler_bypass' in result) {
    zone.searchEnginesPass = result.search_engine_crawler_bypass === true
    return []
  }
  const all = (Array.isArray(result) ? result : [result]).filter(isObject)
  const rooms = all.filter(one => 'host' in one && 'total_active_users' in one)
  zone.rooms.push(...rooms.map(newRoom))
  const events = all.filter(one => 'event_start_time' in one)
  const rules = all.filter(one => 'expression' in one)
  if (all.length > 0 && rooms.length + events.length + rules.length === 0)
    throw new Error(`${file} has neither waiting rooms nor rules, events or settings of them`)
  return [
    ...(events.length > 0 ? [{ file, kind: 'events' as const, values: events }] : []),
    ...(rules.length > 0 ? [{ file, kind: 'rules' as const, values: rules }] : []),
  ]
}

function readState(resources: readonly Values[], zone: CloudflareZone): void {
  const attributes = (type: string) =>
    resources
      .filter(resource => resource.type === type)
      .flatMap(({ instances }) => (Array.isArray(instances) ? instances.filter(isObject) : []))
      .map(instance => instance.attributes)
      .filter(isObject)
  zone.rooms.push(...attributes(TERRAFORM).map(newRoom))
  const roomFor = ({ waiting_room_id: id }: Values) => zone.rooms.find(room => room.id === id)
  for (const event of attributes(`${TERRAFORM}_event`)) roomFor(event)?.events.push(event)
  for (const list of attributes(`${TERRAFORM}_rules`)) {
    const rules = Array.isArray(list.rules) ? list.rules.filter(isObject) : []
    roomFor(list)?.rules.push(...rules.map(ruleOf))
  }
  for (const settings of attributes(`${TERRAFORM}_settings`))
    zone.searchEnginesPass ||= settings.search_engine_crawler_bypass === true
}

function newRoom(values: Values): CloudflareRoom {
  return { id: String(values.id ?? ''), values, rules: [], events: [] }
}

function ruleOf({ action, expression, description, enabled, status }: Values): CloudflareRule {
  return {
    action: String(action ?? 'bypass_waiting_room'),
    expression: String(expression),
    description: typeof description === 'string' ? description : '',
    enabled: enabled !== false && status !== 'disabled',
  }
}

/** Finds the room of a list. If there are several rooms, the file's name must contain the room's name or id. */
function roomOf(file: string, { rooms }: CloudflareZone): CloudflareRoom {
  const [only] = rooms
  if (only && rooms.length === 1) return only
  const base = file.split('/').at(-1) ?? ''
  const named = rooms.filter(({ id, values }) => base.includes(String(values.name)) || (id !== '' && base.includes(id)))
  // If two names match, as `shop` and `shop-sale` do, the longer name is meant.
  const [room] = named.sort((a, b) => String(b.values.name).length - String(a.values.name).length)
  if (room) return room
  const names = rooms.map(({ values }) => values.name).join(', ')
  throw new Error(`${file} does not name its room: put one of ${names} into the name of the file`)
}

function parsed(name: string, text: string): Values {
  try {
    const json: unknown = JSON.parse(text)
    if (Array.isArray(json)) return { result: json }
    if (isObject(json)) return json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Error(`${name} is not JSON: ${error.message}`)
  }
  throw new Error(`${name} must be an answer of the API or a state of Terraform`)
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
