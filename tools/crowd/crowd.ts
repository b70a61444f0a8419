/** A crowd of real HTTP visitors, each with its own cookies, in front of a site with or without a waiting room. */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Browser } from './browser.ts'
import { Connections } from './connections.ts'
import { type CrowdFigures, crowdFigures } from './figures.ts'
import { leakedRequests, seenAtOrigin } from './leaks.ts'
import { lineUp, type Site, type Visitor } from './line.ts'
import { RunClock } from './run-clock.ts'
import { browse } from './shopping.ts'
import { Tally } from './tally.ts'

export type { CrowdFigures } from './figures.ts'

export interface CrowdOptions {
  /** The address that all visitors go to. */
  readonly url: string
  readonly visitors: number
  /** Number of scripts beside the visitors. They poll like a page, and solve no challenge. Default 0. */
  readonly robots?: number
  /** Visitors arrive at uniformly random times within this time. Default 10 s. */
  readonly arriveMs?: number
  /** Returns the time at which visitor n arrives, counted from 0. Replaces `arriveMs`. */
  readonly arrivalMs?: (n: number) => number
  /** Mean time inside. Each visitor stays from 0.5 to 1.5 times as long. Default 30 s. */
  readonly stayMs?: number
  /** Mean pause between two pages. Each pause is from 1/3 to 5/3 as long. Default 3 s. */
  readonly thinkMs?: number
  /** Returns the address of visitor n, counted from 0. By default all visitors have the address of this machine. */
  readonly addressOf?: (n: number) => string
  /** Share of visitors who close the tab after one to six polls. Default 0. */
  readonly noShows?: number
  /** The run ends after this time, even if some visitors have not finished. Default 30 min. */
  readonly durationMs?: number
  /** Ends the run early. The figures then cover what has happened so far. */
  readonly signal?: AbortSignal
  /** Called every second. */
  readonly watch?: (tally: Tally, nowMs: number) => void
}

/** The address does not accept connections. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

const DURATION_MAX_MS = 30 * 60_000
const CONNECT_WITHIN_MS = 5_000
const POLLS_OF_NO_SHOWS = 6

export async function runCrowd(options: CrowdOptions): Promise<CrowdFigures> {
  const { record, leaked, endedMs } = await recordCrowd(options)
  return crowdFigures(record, leaked, endedMs)
}

/** Runs a crowd like `runCrowd`, but returns the full record instead of figures. */
export async function recordCrowd(
  options: CrowdOptions,
): Promise<{ readonly record: Tally; readonly leaked: number | null; readonly endedMs: number }> {
  const url = new URL(options.url)
  await reach(url)
  const { stayMs = 30_000, thinkMs = 3_000, arriveMs = 10_000, noShows = 0, robots = 0 } = options
  const arrivalMs = options.arrivalMs ?? (() => arriveMs * Math.random())
  const clock = new RunClock()
  const tally = new Tally()
  const connections = new Connections()
  const site: Site = { url, clock, tally, stayMs, thinkMs, isMarked: false }
  const run = randomBytes(4).toString('hex')
  const all = Array.from({ length: options.visitors + robots }, (_, n) => {
    const isRobot = n >= options.visitors
    const record = tally.newVisitor(`${run}-${n + 1}`, isRobot)
    const isNoShow = !isRobot && Math.random() < noShows
    const pollsLeft = isNoShow ? 1 + Math.floor(POLLS_OF_NO_SHOWS * Math.random()) : Number.POSITIVE_INFINITY
    const browser = new Browser(connections, record.id, options.addressOf?.(n) ?? null)
    return visit(site, { browser, record, pollsLeft }, arrivalMs(n))
  })
  const watching = setInterval(() => options.watch?.(tally, clock.nowMs()), 1_000)
  await Promise.race([Promise.all(all), over(options)])
  clearInterval(watching)
  const endedMs = clock.nowMs()
  clock.end()
  connections.close()
  await Promise.all(all)
  const seen = await readSeen(url)
  if (tally.answers === 0 && tally.errors > 0)
    throw new UnreachableError(`${url.href} has answered no visitor: ${tally.errorSamples[0]}`)
  return { record: tally, leaked: seen && leakedRequests(tally.visitors, seen), endedMs }
}

/** One visitor from the arrival to the end. */
async function visit(site: Site, visitor: Visitor, arrivesMs: number): Promise<void> {
  const { clock, tally } = site
  const { record } = visitor
  await clock.sleep(arrivesMs)
  if (clock.isOver) return
  record.arrivedMs = clock.nowMs()
  const stayMs = site.stayMs * (0.5 + Math.random())
  let leavesMs: number | null = null
  for (;;) {
    const page = await lineUp(site, visitor)
    if (!page) return
    leavesMs ??= clock.nowMs() + stayMs
    const end = await browse(site, visitor, page, leavesMs)
    if (clock.isOver) return
    if (end === 'left') return tally.move(record, 'silent')
    tally.sendBack(record)
  }
}

/** Resolves when the time is up or the caller aborts. The timer must not keep the process alive. */
function over({ durationMs = DURATION_MAX_MS, signal }: CrowdOptions): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, durationMs).unref()
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function readSeen(url: URL) {
  const connections = new Connections()
  try {
    return await seenAtOrigin(connections, url)
  } finally {
    connections.close()
  }
}

/** Opens and closes a connection. Requesting a page instead would take a place in line. */
function reach(url: URL): Promise<void> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: url.hostname.replace(/^\[|\]$/g, '') })
    const fail = (why: string) => {
      socket.destroy()
      reject(new UnreachableError(`${url.href} cannot be reached: ${why}`))
    }
    socket.setTimeout(CONNECT_WITHIN_MS, () => fail(`no connection within ${CONNECT_WITHIN_MS / 1_000} s`))
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}
