/** Finds the rooms of a request. For each way in which its path can be read, the longest host and path win. */

import { isBelow, type Readings } from '../../core/path.ts'
import { matchesHost } from '../../settings/patterns.ts'
import { routesOf } from '../../settings/rooms.ts'
import type { RoomConfig } from '../../settings/schema.ts'

interface Route {
  readonly host: string
  readonly path: string
  readonly caseInsensitive: boolean
  readonly room: string
}

export class Routes {
  readonly #routes: readonly Route[]

  constructor(rooms: readonly RoomConfig[]) {
    this.#routes = rooms
      .flatMap(room =>
        routesOf(room).map(route => ({ ...route, room: room.name, caseInsensitive: room.case_insensitive_paths })),
      )
      .map(route => (route.caseInsensitive ? { ...route, path: route.path.toLowerCase() } : route))
      .sort((a, b) => hostWeight(b.host) - hostWeight(a.host) || b.path.length - a.path.length)
  }

  /** Returns the names of the rooms of a request, each once. There is nearly always none or one. */
  roomsOf(hostname: string, readings: Readings): readonly string[] {
    const routes = this.#routes.filter(route => matchesHost(hostname, route.host))
    if (routes.length === 0) return []
    if (readings.unreadable) return unique(routes.map(route => route.room))
    const found: string[] = []
    const { whole, scripts } = readings.names
    for (const names of [whole, scripts]) {
      for (const name of names) {
        const room = longest(routes, name)
        if (room !== undefined) found.push(room)
      }
    }
    return unique(found)
  }

  /** True if any room has this host, with any path. */
  isHostOfARoom(hostname: string): boolean {
    return this.#routes.some(({ host }) => matchesHost(hostname, host))
  }
}

function longest(routes: readonly Route[], path: string): string | undefined {
  let lower: string | undefined
  const match = routes.find(route => {
    if (!route.caseInsensitive) return isBelow(path, route.path)
    lower ??= path.toLowerCase()
    return isBelow(lower, route.path)
  })
  return match?.room
}

/**
 * Returns a number by which hosts are sorted: an exact host comes before a longer wildcard, and that before a shorter
 * one.
 */
function hostWeight(host: string): number {
  return host.startsWith('*') ? host.length : 1_000 + host.length
}

function unique(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)]
}
