/** Advice on settings that are allowed but probably a mistake. Advice never refuses settings. */
import { adviceOnBrand } from './brand/settings.ts'
import { adviceOnBypass } from './bypass/advice.ts'
import { adviceOnChallenge } from './challenge/advice.ts'
import { leastDoors } from './compiled/doors.ts'
import { withoutReload } from './custom-page.ts'
import { timesOf } from './events.ts'
import { sitesOf } from './rooms.ts'
import type { RoomConfig } from './schema.ts'

/** An event further away than this probably has a wrong year. */
const FAR_MS = 366 * 24 * 60 * 60_000
/** A session longer than this was probably meant in seconds. */
const LONG_SESSION_MINUTES = 240

export function adviceOn(rooms: readonly RoomConfig[], nowMs: number): string[] {
  return rooms.flatMap((room, index) => {
    const at = `rooms[${index}] (${room.name})`
    const advice: string[] = []
    const perSession = room.new_users_per_minute * room.session_duration
    if (room.new_users_per_minute > 0 && perSession < room.total_active_users / 10) {
      advice.push(
        `${at}: at ${room.new_users_per_minute} a minute and sessions of ${room.session_duration} min about ${Math.round(perSession)} are inside at once, far below total_active_users (${room.total_active_users})`,
      )
    }
    if (room.session_duration > LONG_SESSION_MINUTES) {
      advice.push(
        `${at}: session_duration = ${room.session_duration} is in minutes: a place stays taken for ${Number((room.session_duration / 60).toFixed(1))} h after the last request`,
      )
    }
    advice.push(...outsideOf(room).map(text => `${at}: ${text}`))
    advice.push(...adviceOnBypass(room).map(text => `${at}: ${text}`))
    advice.push(...adviceOnBrand(room, sitesOf(room)).map(text => `${at}: ${text}`))
    advice.push(...adviceOnChallenge(room).map(text => `${at}: ${text}`))
    advice.push(...adviceOnDoors(at, room))
    if (isLostInFrames(room)) {
      advice.push(
        `${at}: cookie_attributes.samesite = "none" without partitioned = true: in frames of other sites many browsers keep no such cookie, and a visitor is a newcomer with each request`,
      )
    }
    if (room.on_room_failure === 'admit') {
      advice.push(
        `${at}: on_room_failure = "admit" lets visitors in beyond the limits while the room cannot be reached`,
      )
    }
    if (room.queueing_method === 'passthrough' && !room.queue_all) {
      advice.push(`${at}: queueing_method = "passthrough" lets every visitor through, whatever the limits`)
    }
    if (room.health.mode === 'shadow') advice.push(`${at}: health.mode = "shadow" only writes down what it would do`)
    const probed = [
      ...(room.health.probe ? ['origin'] : []),
      ...room.upstreams.filter(({ probe }) => probe).map(({ name }) => name),
    ]
    if (probed.length > 0 && room.host.includes('*'))
      advice.push(`${at}: the probe of ${probed.join(', ')} needs ORIGIN, or a room with one host`)
    const rest = 1 - room.lanes.reduce((sum, { share }) => sum + share, 0)
    if (room.lanes.length > 0 && rest < 0.05) {
      advice.push(
        `${at}: lanes leave the main lane ${Math.round(Math.max(0, rest) * 100)} % of the permits: hardly any visitor without an invitation comes in while other lanes have a line`,
      )
    }
    for (const page of [room, ...room.events].map(({ custom_page_html }) => custom_page_html ?? '')) {
      if (withoutReload(page) === page) continue
      advice.push(`${at}: the refresh tag in custom_page_html is taken out: the room sets the time of each reload`)
    }
    if (room.host === '*') advice.push(`${at}: host "*" matches every host that reaches the Worker`)
    advice.push(
      ...room.events.flatMap((event, i) => adviceOnEvent(`${at}: events[${i}] (${event.name})`, event, nowMs)),
    )
    return advice
  })
}

/** Returns the paths in rules that no request of the room can have. */
function outsideOf(room: RoomConfig): string[] {
  const sites = sitesOf(room)
  const lists: readonly (readonly [at: string, paths: readonly string[]])[] = [
    ['protected_paths', room.protected_paths],
    ...room.rate_limits.map(({ match }, index) => [`rate_limits[${index}].match.paths`, match.paths ?? []] as const),
    ...room.upstreams.map(({ paths }, index) => [`upstreams[${index}].paths`, paths] as const),
    ['health.shed.paths', room.health.shed?.paths ?? []],
  ]
  return lists.flatMap(([at, paths]) =>
    paths
      .filter(path => !sites.some(site => mayMeet(path, site)))
      .map(path => `${at}: ${path} is outside of ${sites.join(' and ')}, so it matches no request of the room`),
  )
}

/** True if a path pattern may match a path at or below a site. */
function mayMeet(pattern: string, site: string): boolean {
  const literal = pattern.split(/[*:{(?\\]/)[0] ?? ''
  const isWhole = literal === pattern
  const base = site === '/' ? '' : site.toLowerCase()
  const path = literal.toLowerCase()
  if (path === base || path.startsWith(`${base}/`)) return true
  return !isWhole && `${base}/`.startsWith(path)
}

/**
 * Returns advice on doors. In a rush, a room with too few doors answers late, and nothing else shows this beforehand.
 */
function adviceOnDoors(at: string, room: RoomConfig): string[] {
  const least = leastDoors(room)
  if (room.doors === 'auto' || room.doors >= least) return []
  return [`${at}: doors = ${room.doors} is few for this rate and these places, which need ${least}: leave it at "auto"`]
}

/** True if the cookie is meant for frames of other sites, but browsers that block third-party cookies would drop it. */
function isLostInFrames({ cookie_attributes, frame_ancestors }: RoomConfig): boolean {
  const isFramed = frame_ancestors.length === 0 || frame_ancestors.some(source => source.includes('://'))
  return cookie_attributes.samesite === 'none' && !cookie_attributes.partitioned && isFramed
}

function adviceOnEvent(at: string, event: RoomConfig['events'][number], nowMs: number): string[] {
  const [prequeueMs, startMs, endMs] = timesOf(event)
  if (event.suspended) return []
  const advice: string[] = []
  if (endMs <= nowMs) advice.push(`${at} has been over since ${event.event_end_time}: it does nothing now`)
  else if (startMs > nowMs + FAR_MS) advice.push(`${at} is more than a year away`)
  else if (prequeueMs !== null && prequeueMs <= nowMs && startMs > nowMs)
    advice.push(`${at}: its prequeue is on already. Visitors who came before this was deployed keep their places`)
  if (event.new_users_per_minute === 0) advice.push(`${at}: at a rate of 0 no visitor is let in while it is on`)
  return advice
}
