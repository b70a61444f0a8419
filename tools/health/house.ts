/**
 * A small room before a simulated origin, visitor by visitor. Some visitors are inside, some are
 * blocked, and some have left without a word.
 *
 * Time advances in seconds. Sessions last for a while after their last request, as in production. Several isolates cast
 * votes, and each request meets one of them by chance.
 */
import { lotOf } from '../../src/core/hash.ts'
import { admissionLimitsNow, type HealthSnapshot, healthSnapshot } from '../../src/core/health/effect.ts'
import { advance } from '../../src/core/health/health.ts'
import { ingest } from '../../src/core/health/ingest.ts'
import { ORIGIN, type Outcome, outcomeOf } from '../../src/core/health/outcome.ts'
import { newPresence, thereOf } from '../../src/core/health/presence.ts'
import { newHealth } from '../../src/core/health/state.ts'
import type { HealthStep } from '../../src/core/health/step.ts'
import { isVoter, lotOfSession, NEWCOMERS_LOT, voterShare } from '../../src/core/health/votes.ts'
import { type AdmissionLimits, type Bank, fill, grantable } from '../../src/core/permits/bank.ts'
import { readCells } from '../../src/core/protocol/health-cells.ts'
import { Ballots, type OwnSamples } from '../../src/edge/room-client/ballots.ts'
import { Random } from '../simulation/random.ts'
import { RULES } from './control.ts'
import { mayGoOn } from './edge-votes.ts'
import { TARGET_MS } from './origin.ts'

export interface House {
  readonly seed: number
  readonly seconds: number
  readonly operator: AdmissionLimits
  readonly sessionSeconds: number
  /** Returns how many visitors have come until this second. Visitors who still wait are included. */
  readonly arrived: (second: number) => number
  /** The mean time that a visitor stays before it leaves without a word. */
  readonly staySeconds: number
  readonly isolates: number
  /** The shortest and the longest time between two pages of one visitor. */
  readonly thinkSeconds: readonly [number, number]
  /** Returns how the origin behaves at a time in seconds. If it hangs, visitors give up after `givesUpMs`. */
  readonly origin: (second: number) => 'answers' | 'refuses' | 'hangs'
  /** Whether answers take three times the target in this second. */
  readonly slow?: (second: number) => boolean
  /** In this second this share of the visitors inside leaves without a word. */
  readonly leave?: { readonly atSecond: number; readonly share: number }
  /** The first session and this share of all sessions request an address once a second. It always fails. */
  readonly brokenShare?: number
  readonly givesUpMs?: number
  /** The windows of the room begin this much later than the windows of the edges. */
  readonly windowsApartMs?: number
  /** The room's object is started again in this second. Its code stays the same. */
  readonly restartSecond?: number
  /**
   * A rollout: until this second, this many isolates run an old version, in which sessions did not vote. In a run with
   * a rollout each visitor always goes to the same isolate.
   */
  readonly old?: { readonly isolates: number; readonly untilSecond: number }
}

export interface Second {
  readonly second: number
  readonly admitted: number
  readonly inside: number
  readonly there: number
  /** Visitors who are really there, including those who have just been admitted. */
  readonly present: number
  /** Visitors whose last request was blocked. */
  readonly blocked: number
  readonly breaker: string
  readonly totalActiveUsers: number
  readonly ceiling: number | null
}

export interface Played {
  readonly seconds: readonly Second[]
  readonly steps: readonly HealthStep[]
}

interface Person {
  readonly sid: string
  readonly asksBroken: boolean
  readonly own: OwnSamples[]
  readonly leavesMs: number
  nextMs: number
  endsMs: number
  isNew: boolean
  isTrial: boolean
  isBlocked: boolean
  isGone: boolean
}

const START_MS = 1_700_000_000_000
const PATHS = ['/', '/products/*', '/cart', '/about', '/news/*', '/search']
const ANSWER_MS = 5
/** Edges learn of a decision of the room this much later. */
const NEWS_SECONDS = 1

export function keepHouse(house: House): Played {
  const world = new World(house)
  const seconds: Second[] = []
  for (let second = 0; second < house.seconds; second++) seconds.push(world.pass(second))
  return { seconds, steps: world.steps }
}

class World {
  readonly steps: HealthStep[] = []
  readonly #house: House
  readonly #random: Random
  readonly #state = newHealth(START_MS)
  readonly #isolates: Isolate[]
  readonly #bank: Bank = { banked: 0, filledAtMs: START_MS }
  readonly #people = new Set<Person>()
  readonly #snapshots: (HealthSnapshot | null)[] = []
  readonly #startMs: number
  #admitted = 0

  constructor(house: House) {
    this.#house = house
    this.#startMs = START_MS + (house.windowsApartMs ?? 0)
    this.#random = new Random(house.seed)
    this.#isolates = Array.from({ length: house.isolates }, () => ({ ballots: new Ballots(), triedMs: 0 }))
  }

  pass(second: number): Second {
    const nowMs = this.#startMs + second * 1_000
    const { operator, arrived, leave, restartSecond } = this.#house
    if (restartSecond === second) this.#state.presence = newPresence(nowMs, false)
    const crowd = arrived(second)
    if (leave?.atSecond === second)
      for (const person of this.#people) if (this.#random.chance(leave.share)) person.isGone = true
    for (const person of this.#people) if (person.endsMs <= nowMs) this.#people.delete(person)
    const cells: Record<string, number> = {}
    for (const { ballots } of this.#isolates)
      ballots.take(cell => {
        cells[cell] = 1
      })
    ingest(this.#state, readCells(cells, nowMs).votes, RULES, nowMs)
    const load = { inside: this.#people.size, admitted: this.#admitted, hasDemand: this.#admitted < crowd }
    const moment = { load, operator, rules: RULES, nowMs, random: this.#random.next() }
    this.steps.push(...advance(this.#state, moment))
    const limits = admissionLimitsNow(this.#state, load, operator, moment)
    this.#snapshots.push(healthSnapshot(this.#state, load, operator, moment))
    const snapshot = this.#snapshots.at(-1 - NEWS_SECONDS) ?? null
    fill(this.#bank, 0, limits, nowMs)
    const admitted = Math.min(crowd - this.#admitted, grantable(this.#bank, load.inside, 0, limits))
    this.#bank.banked -= admitted
    for (let i = 0; i < admitted; i++) this.#admit(nowMs)
    for (const person of this.#people) {
      if (snapshot?.paused) person.endsMs += 1_000
      if (person.leavesMs <= nowMs) person.isGone = true
      while (!person.isGone && person.nextMs < nowMs + 1_000) this.#ask(person, snapshot, second)
    }
    const present = [...this.#people].filter(({ isGone }) => !isGone)
    return {
      second,
      admitted,
      inside: load.inside,
      there: thereOf(this.#state.presence, load),
      present: present.length,
      blocked: present.filter(({ isBlocked }) => isBlocked).length,
      breaker: this.#state.upstreams[ORIGIN]?.breaker.state ?? 'closed',
      totalActiveUsers: limits.totalActiveUsers,
      ceiling: this.#state.ceiling.sessions,
    }
  }

  #admit(nowMs: number): void {
    const { brokenShare = 0 } = this.#house
    this.#admitted++
    this.#people.add({
      sid: `${this.#house.seed}-${this.#admitted}`,
      asksBroken: brokenShare > 0 && (this.#admitted - 1) % Math.round(1 / brokenShare) === 0,
      own: this.#isolates.map(() => ({})),
      leavesMs: nowMs - Math.log(1 - this.#random.next()) * this.#house.staySeconds * 1_000,
      nextMs: nowMs + this.#random.next() * 1_000,
      endsMs: nowMs + 1_000,
      isNew: true,
      isTrial: false,
      isBlocked: false,
      isGone: false,
    })
  }

  #ask(person: Person, snapshot: HealthSnapshot | null, second: number): void {
    const atMs = person.nextMs
    const { sessionSeconds, thinkSeconds, givesUpMs = 10_000, origin, slow, old } = this.#house
    person.endsMs = Math.max(person.endsMs, atMs + sessionSeconds * 1_000 * (1 + this.#random.next() / 4))
    const { length } = this.#isolates
    const index = old ? Math.floor(lotOf(person.sid) * length) : this.#random.below(length)
    const isolate = this.#isolates[index] as Isolate
    const lot = person.isNew ? NEWCOMERS_LOT : lotOfSession(person.sid)
    const isOld = index < (old?.isolates ?? 0) && second < (old?.untilSecond ?? 0)
    const votes = !isOld && isVoter(person.sid, voterShare(this.#people.size))
    if (votes && !person.isNew) isolate.ballots.note(ORIGIN, lot, atMs)
    person.isBlocked = snapshot !== null && snapshot.inside < 1 && !mayGoOn(person, isolate, snapshot, atMs)
    if (person.isBlocked) {
      person.nextMs = atMs + 7_000 + this.#random.next() * 6_000
      return
    }
    const [from, to] = thinkSeconds
    const thinksMs = person.asksBroken ? 1_000 : (from + (to - from) * this.#random.next()) * 1_000
    const state = origin((atMs - this.#startMs) / 1_000)
    const tookMs = state === 'hangs' ? givesUpMs : slow?.(second) ? 3 * TARGET_MS : ANSWER_MS
    const isFailed = state === 'refuses' || (person.asksBroken && state === 'answers')
    const outcome: Outcome = isFailed ? 'failed' : state === 'hangs' ? 'frustrated' : outcomeOf(tookMs, TARGET_MS)
    const pattern = person.asksBroken ? '/report/yearly' : (PATHS[this.#random.below(PATHS.length)] as string)
    const own = person.own[index] as OwnSamples
    if (votes) isolate.ballots.add({ upstream: ORIGIN, lot, own, path: pattern, sentMs: atMs }, outcome, atMs + tookMs)
    person.isNew = false
    person.nextMs = atMs + tookMs + thinksMs
  }
}

interface Isolate {
  readonly ballots: Ballots
  triedMs: number
}
