/**
 * Measures the cost of the room, as ratios within one run: the built Worker in plain workerd, beside Workers that do
 * less or something else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MeasuredRatio, ratiosOf, tableOf, withTable } from './bench/ratios.ts'
import { callsPerThousand, SESSION } from './bench/session-calls.ts'
import { startStore } from './bench/store.ts'
import { type Ports, startSubjects } from './bench/subjects.ts'
import { admit, queue } from './bench/visitors.ts'
import { measure, type Target } from './bench/wrk.ts'
import { medians } from './simulation/order.ts'
import { type Given, number, run, UsageError } from './support/cli.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { startServe } from './support/workerd.ts'

const USAGE = `npm run bench [-- --seconds S --rounds N --only NAME,... --json --write]

Measures the built Worker in plain workerd beside a trivial Worker, a plain proxy, a Worker with one object call and one row,
and a Worker with two calls to a remote store (Redis), in turn, several rounds. Prints medians and their ratios, and the object calls of sessions that read ${SESSION.pages} pages. Needs wrk and
redis-server. Absolute figures depend on the machine; the ratios carry over.`

const FLAGS = {
  seconds: { value: 'S', help: 'length of one measurement', default: '2' },
  rounds: { value: 'N', help: 'measurements of each target; the median counts', default: '5' },
  only: { value: 'NAME,...', help: 'the targets to measure, by their names in a full run' },
  sessions: { value: 'N', help: 'distinct admitted sessions', default: '5000' },
  json: { help: 'print one JSON object' },
  write: { help: 'write the table of docs/performance.md, after a full run' },
}

const NAMES = [
  ...[
    'store',
    'remote',
    'admitted',
    'proxy',
    'admitted (handed on)',
    'admitted-two-policies',
    'object',
    'newly admitted',
  ],
  ...['first visit', 'trivial', 'limited', 'poll, remembered', 'poll, verified', 'calls'],
]

/** Sessions that go from page to page may cause at most this many object calls per 1,000 requests. */
const CALLS = { most: 60, limitedBy: 'a lease of ten seconds: each page asks once' }

/** One door is enough, because the whole room runs in one process here. */
const OPEN = {
  host: '*',
  total_active_users: 10_000_000,
  new_users_per_minute: 1_000_000,
  session_duration: 60,
  doors: 1,
}
/** A second policy, beside the default policy of every session. */
const SECOND_POLICY = { name: 'pages', count: 600, period: 60, burst: 200 }

const ROOMS = [
  { ...OPEN, name: 'open', path: '/open' },
  // The origin reads the pass from the cookie.
  { ...OPEN, name: 'kept', path: '/kept', origin_pass: 'cookie' },
  { ...OPEN, name: 'two', path: '/two', rate_limits: [SECOND_POLICY] },
  { ...OPEN, name: 'paged', path: '/paged', rate_limits: [SECOND_POLICY] },
  // A session's first request uses the whole allowance.
  { ...OPEN, name: 'limited', path: '/limited', rate_limits: [{ name: 'once', count: 1, period: 86_400 }] },
  { name: 'held', host: '*', path: '/held', total_active_users: 1_000, new_users_per_minute: 600, queue_all: true },
]
/**
 * With so few sessions each lease is still valid when its session is measured. A renewal could make the door write a
 * row.
 */
const POLICED_SESSIONS = 1_000
/** An isolate cannot remember the polls of so many tickets, but it can remember their tokens. */
const REMEMBERED_TICKETS = 15_000
/** An isolate cannot remember the tokens of so many tickets, so each poll verifies a token. */
const VERIFIED_TICKETS = 30_000

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const seconds = number(given, 'seconds', 1, 60)
  const rounds = number(given, 'rounds', 1, 50)
  const sessions = number(given, 'sessions', 100, 100_000)
  const names = namesIn(given.only)
  if (given.write === 'true' && names !== NAMES) throw new UsageError('--write needs a full run, without --only')
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-bench-'))
  const ports: Ports = { origin: 9_301, trivial: 9_302, proxy: 9_303, object: 9_304, remote: 9_305, store: 9_306 }
  const stops: (() => Promise<void>)[] = []
  try {
    stops.push(await startStore(ports.store), await startSubjects(ports, join(scratch, 'subjects')))
    const roomKeys = await newRoomKeys()
    const adminToken = newAdminToken()
    const served = await startServe({
      port: 9_300,
      origin: `http://127.0.0.1:${ports.origin}`,
      rooms: ROOMS,
      storage: join(scratch, 'rooms'),
      roomKeys,
      adminToken,
    })
    stops.push(() => served.stop())
    const targets = (await targetsOf(served.url, ports, roomKeys, sessions)).filter(({ name }) => names.includes(name))
    const rates = await measureAll(targets, rounds, seconds, scratch)
    const calls = names.includes('calls') ? await callsPerThousand(served.url, 'paged', adminToken) : null
    const ratios = ratiosOf(rates)
    if (given.write === 'true') writeTable(ratios)
    return report({ perSecond: medians(rates), ratios, calls }, given.json === 'true')
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function targetsOf(url: string, ports: Ports, roomKeys: string, sessions: number): Promise<Target[]> {
  const at = (port: number) => `http://127.0.0.1:${port}/open`
  const passes = await admit(`${url}/open`, sessions)
  const passesKept = await admit(`${url}/kept`, sessions)
  const passesOfTwo = await admit(`${url}/two`, Math.min(sessions, POLICED_SESSIONS))
  const passesLimited = await admit(`${url}/limited`, Math.min(sessions, POLICED_SESSIONS))
  const tickets = await queue(`${url}/held`, 'held', roomKeys, REMEMBERED_TICKETS + VERIFIED_TICKETS)
  const poll = `${url}/.waiting-room/status?room=held`
  // Targets that are compared are neighbours here: the speed of a machine changes slowly.
  return [
    { name: 'store', url: `http://127.0.0.1:${ports.store}/incr/one`, status: 200 },
    { name: 'remote', url: at(ports.remote), status: 200 },
    { name: 'admitted', url: `${url}/open`, cookies: passes, status: 200 },
    { name: 'proxy', url: at(ports.proxy), cookies: passes, status: 200 },
    { name: 'admitted (handed on)', url: `${url}/kept`, cookies: passesKept, status: 200 },
    { name: 'admitted-two-policies', url: `${url}/two`, cookies: passesOfTwo, status: 200 },
    { name: 'object', url: at(ports.object), accept: 'text/html', status: 200 },
    { name: 'newly admitted', url: `${url}/open`, accept: 'text/html', status: 200 },
    { name: 'first visit', url: `${url}/held`, accept: 'text/html', status: 503 },
    { name: 'trivial', url: at(ports.trivial), status: 200 },
    { name: 'limited', url: `${url}/limited`, cookies: passesLimited, accept: 'application/json', status: 429 },
    {
      name: 'poll, remembered',
      url: poll,
      cookies: tickets.slice(0, REMEMBERED_TICKETS),
      accept: 'application/json',
      status: 200,
    },
    {
      name: 'poll, verified',
      url: poll,
      cookies: tickets.slice(REMEMBERED_TICKETS),
      accept: 'application/json',
      status: 200,
    },
  ]
}

/** The targets to measure: all, or those named. Names may contain a comma. */
function namesIn(only: string | undefined): readonly string[] {
  if (only === undefined) return NAMES
  const names = NAMES.filter(name => only.split(/,(?! )/).includes(name))
  const unknown = only.split(/,(?! )/).find(name => !NAMES.some(known => known === name))
  if (unknown !== undefined) throw new UsageError(`--only: no target "${unknown}"; there are: ${NAMES.join('; ')}`)
  return names
}

function writeTable(ratios: readonly MeasuredRatio[]): void {
  const page = new URL('../docs/performance.md', import.meta.url)
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), tableOf(ratios)))
}

/** Measures every target once in each round, so that other load on the machine affects all targets alike. */
async function measureAll(
  targets: readonly Target[],
  rounds: number,
  seconds: number,
  scratch: string,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rates = new Map<string, number[]>(targets.map(({ name }) => [name, []]))
  for (let round_ = 0; round_ <= rounds; round_++) {
    for (const target of targets) {
      const { perSecond, wrong } = await measure(target, seconds, scratch)
      if (wrong > 0) throw new Error(`${target.name}: ${wrong} answers were not ${target.status}`)
      // The first round warms up.
      if (round_ > 0) rates.get(target.name)?.push(perSecond)
      console.error(`round ${round_} of ${rounds}: ${target.name} ${Math.round(perSecond)} a second`)
    }
  }
  return rates
}

interface Measured {
  /** The median of each target. */
  readonly perSecond: ReadonlyMap<string, number>
  readonly ratios: readonly MeasuredRatio[]
  readonly calls: number | null
}

function report({ perSecond, ratios, calls }: Measured, json: boolean): number {
  const few = calls === null || calls <= CALLS.most
  if (json) {
    const medians = Object.fromEntries([...perSecond].map(([k, v]) => [k, Math.round(v)]))
    const callsPerThousand = calls === null ? {} : { callsPerThousand: { calls, ...CALLS, enough: few } }
    console.log(JSON.stringify({ perSecond: medians, ratios, ...callsPerThousand }))
  } else {
    for (const [name, median] of perSecond)
      console.log(`${name.padEnd(24)}${String(Math.round(median)).padStart(8)} a second`)
    console.log()
    for (const { of, over, ratio, spread, least, enough, limitedBy } of ratios) {
      console.log(
        `${of} / ${over}`.padEnd(32),
        ratio.toFixed(2),
        `(${spread.map(each => each.toFixed(2)).join(' to ')})`,
        `(at least ${least})`.padEnd(16),
        enough ? 'ok  ' : 'LESS',
        limitedBy,
      )
    }
    if (calls !== null) {
      const what = 'calls / 1,000 requests'.padEnd(32)
      console.log(what, calls.toFixed(1), `(at most ${CALLS.most})`.padEnd(16), few ? 'ok  ' : 'MORE', CALLS.limitedBy)
    }
  }
  return few && ratios.every(({ enough }) => enough) ? 0 : 1
}
