/** Bursty traffic of sessions that go from page to page. One seed gives the same traffic for every limiter. */
import { Random } from '../simulation/random.ts'

export interface Request {
  readonly atMs: number
  readonly session: string
  /** The copy of the limiter that the request reaches. A session moves between copies. */
  readonly isolate: number
}

export interface Crowd {
  readonly sessions: number
  readonly seconds: number
  readonly isolates: number
  readonly seed: number
}

const START_MS = 1_790_000_000_000
/** A page and its assets cause this many requests at once. Sometimes a script makes `HURRY.times` as many. */
const PAGE = { least: 5, most: 25 }
const HURRY = { chance: 0.15, times: 3 }
const PAUSE_MS = { least: 1_000, most: 25_000 }
const GAP_MS = 60
/** This share of a page's requests goes to another isolate than the rest. */
const STRAY = 0.1

/** Returns the requests in order of time. */
export function trafficOf({ sessions, seconds, isolates, seed }: Crowd): Request[] {
  const random = new Random(seed)
  const requests: Request[] = []
  for (let i = 0; i < sessions; i++) {
    let atMs = START_MS + random.below(PAUSE_MS.most)
    while (atMs < START_MS + seconds * 1_000) {
      const home = random.below(isolates)
      const page = PAGE.least + random.below(PAGE.most - PAGE.least + 1)
      const count = random.chance(HURRY.chance) ? page * HURRY.times : page
      for (let n = 0; n < count; n++) {
        requests.push({ atMs, session: `s${i}`, isolate: random.chance(STRAY) ? random.below(isolates) : home })
        atMs += random.below(GAP_MS)
      }
      atMs += Math.floor(random.between(PAUSE_MS.least, PAUSE_MS.most))
    }
  }
  return requests.sort((a, b) => a.atMs - b.atMs)
}
