/**
 * The crowds of three incidents (`tools/scenarios/stories.ts`) in virtual time: the demo shop that collapses, visitors
 * who browse, and the room's decisions. So a change can be judged by many crowds in a minute.
 *
 * Beside the real replays it leaves out HTTP, the Worker's own time, and everything that has nothing to do with health.
 */
import type { healthSnapshot } from '../../src/core/health/effect.ts'
import { type AdmissionLimits, type Bank, fill, grantable } from '../../src/core/permits/bank.ts'
import { recovery } from '../scenarios/column.ts'
import { SCENARIOS } from '../scenarios/stories.ts'
import { Queue } from '../simulation/queue.ts'
import { Random } from '../simulation/random.ts'
import { type Answer, EdgeVotes, mayGoOn } from './edge-votes.ts'
import { VirtualShop } from './virtual-shop.ts'

interface Story {
  readonly name: string
  readonly seconds: number
  readonly capacity: number
  readonly visitors: number
  readonly arriveMs: (n: number, random: Random) => number
  readonly thinkMs: number
  readonly operator: AdmissionLimits
  readonly targetMs: number
  readonly troubleSeconds: number
}

export interface Outcome {
  readonly healthyAfterSeconds: number | null
  readonly relapsedShare: number | null
  readonly usedShare: number
  readonly failedLateShare: number
  readonly failed: number
}

const STAY_MS = 40_000
const uniform = (withinMs: number) => (_n: number, random: Random) => random.next() * withinMs
/** A tenth of the visitors of `black-friday` come within a minute. All others come within twenty seconds. */
const saleStarts = (n: number, random: Random) =>
  n % 10 === 0 ? random.next() * 60_000 : 5_000 + random.next() * 20_000

export const STORIES: readonly Story[] = [
  storyOf('black-friday', saleStarts),
  storyOf('viral-story'),
  storyOf('famous-blog'),
]

/** Returns the story of a scenario, with its figures. People come evenly unless `arriveMs` is given. */
function storyOf(name: string, arriveMs?: Story['arriveMs']): Story {
  const scenario = SCENARIOS.find(one => one.name === name)
  const room = scenario?.rooms[0]
  if (!scenario || !room) throw new Error(`no scenario is named ${name}`)
  const { seconds, capacity, crowd, targetMs, troubleSeconds } = scenario
  return {
    ...{ name, seconds, capacity, targetMs, troubleSeconds },
    visitors: crowd.visitors,
    thinkMs: crowd.thinkMs ?? 0,
    arriveMs: arriveMs ?? uniform(crowd.arriveMs ?? 0),
    operator: { totalActiveUsers: Number(room.total_active_users), ratePerMinute: Number(room.new_users_per_minute) },
  }
}

/** Returns the promises that a run breaks. Only those promises of the real replays count that depend on health. */
export function brokenPromises({ healthyAfterSeconds, relapsedShare, usedShare, failedLateShare }: Outcome): string[] {
  return [
    ...(healthyAfterSeconds === null || healthyAfterSeconds > 60 ? ['recovers'] : []),
    ...(relapsedShare === null || relapsedShare > 0.05 ? ['stays well'] : []),
    ...(failedLateShare > 0.01 ? ['few fail'] : []),
    ...(usedShare < 0.65 ? ['is used'] : []),
  ]
}

interface Person {
  readonly sid: string
  readonly stayMs: number
  leavesMs: number
  endsMs: number
  blockedMs: number
  things: number
  assets: number
  isNew: boolean
  isTrial: boolean
}

interface Event {
  readonly dueMs: number
  readonly run: () => void
}

const SESSION_MS = 15_000
const ISOLATES = 2
/** A decision of the room reaches doors and edges within this time. */
const NEWS_MS = 2_000
const ASSETS = 4
const ASSET_MS = 5
/** The shares of clicks that cost two pages (a form and its redirect), and of those that are an order. */
const FORMS = 0.12
const ORDERS = 0.04

export function replay(story: Story, seed: number, control = new EdgeVotes(ISOLATES, story.targetMs, seed)): Outcome {
  return new Replay(story, seed, control).run()
}

class Replay {
  readonly #story: Story
  readonly #random: Random
  readonly #control: EdgeVotes
  readonly #shop: VirtualShop
  readonly #events = new Queue<Event>()
  readonly #line: Person[] = []
  readonly #inside = new Set<Person>()
  readonly #bank: Bank = { banked: 0, filledAtMs: 0 }
  readonly #pages: { atMs: number; tookMs: number; status: number; what: string; isOrigin: boolean }[] = []
  readonly #isolates = Array.from({ length: ISOLATES }, () => ({ triedMs: Number.NEGATIVE_INFINITY }))
  #snapshot: ReturnType<typeof healthSnapshot> = null
  #admitted = 0
  #nowMs = 0
  #lineAt = 0

  constructor(story: Story, seed: number, control: EdgeVotes) {
    this.#story = story
    this.#random = new Random(seed)
    this.#control = control
    this.#shop = new VirtualShop(
      story.capacity,
      this.#random,
      (afterMs, run) => this.#after(afterMs, run),
      () => this.#nowMs,
    )
  }

  run(): Outcome {
    const { story, endMs } = { story: this.#story, endMs: this.#story.seconds * 1_000 }
    for (let n = 0; n < story.visitors; n++) {
      const stayMs = STAY_MS * (0.5 + this.#random.next())
      const person = {
        sid: `${n}-${this.#random.next()}`,
        stayMs,
        leavesMs: 0,
        endsMs: 0,
        blockedMs: 0,
        things: 0,
        assets: 0,
        isNew: true,
        isTrial: false,
      }
      this.#after(story.arriveMs(n, this.#random), () => this.#line.push(person))
    }
    for (let second = 1; second < story.seconds; second++) this.#after(second * 1_000, () => this.#tick())
    for (let untilMs = 1_000; untilMs <= endMs; untilMs += 1_000) {
      for (let event = this.#events.take(untilMs); event; event = this.#events.take(untilMs)) {
        this.#nowMs = event.dueMs
        event.run()
      }
    }
    const pages = this.#pages
    const failed = pages.filter(({ status }) => status >= 500)
    const lateMs = (failed[0]?.atMs ?? 0) + 20_000
    return {
      ...recovery(pages, story.troubleSeconds * 1_000, endMs, 2 * story.targetMs),
      usedShare: this.#shop.workDone / (story.capacity * story.seconds),
      failedLateShare: failed.filter(({ atMs }) => atMs > lateMs).length / Math.max(1, pages.length),
      failed: failed.length,
    }
  }

  #after(ms: number, run: () => void): void {
    this.#events.add({ dueMs: this.#nowMs + ms, run })
  }

  #tick(): void {
    const nowMs = this.#nowMs
    for (const person of this.#inside) if (person.endsMs <= nowMs) this.#inside.delete(person)
    const waiting = this.#line.length - this.#lineAt
    const load = { inside: this.#inside.size, admitted: this.#admitted, hasDemand: waiting > 0 }
    const { limits, snapshot } = this.#control.decide(load, this.#story.operator, nowMs)
    this.#after(NEWS_MS * this.#random.next(), () => {
      this.#snapshot = snapshot
    })
    if (snapshot?.paused) for (const person of this.#inside) person.endsMs += 1_000
    fill(this.#bank, 0, limits, nowMs)
    const granted = Math.min(waiting, grantable(this.#bank, load.inside, 0, limits))
    this.#bank.banked -= granted
    for (let i = 0; i < granted; i++) {
      const person = this.#line[this.#lineAt++] as Person
      this.#admitted++
      this.#inside.add(person)
      person.endsMs = nowMs + SESSION_MS
      // The visitor learns of the admission with the next poll.
      this.#after(2_000 * this.#random.next(), () => {
        person.leavesMs = this.#nowMs + person.stayMs
        this.#click(person)
      })
    }
  }

  #click(person: Person): void {
    const nowMs = this.#nowMs
    if (nowMs >= person.leavesMs + person.blockedMs) return
    person.endsMs = Math.max(person.endsMs, nowMs + SESSION_MS * (1 + this.#random.next() / 4))
    const isolate = this.#random.below(ISOLATES)
    this.#control.noteHere(isolate, person.sid, person.isNew, nowMs)
    if (!this.#goesOn(person, isolate)) {
      const retryMs = (this.#snapshot?.retryAfterMs ?? 10_000) * (0.7 + 0.6 * this.#random.next())
      person.blockedMs += retryMs
      this.#after(retryMs, () => this.#click(person))
      return
    }
    const luck = this.#random.next()
    const cost = luck < ORDERS ? 3 : luck < FORMS ? 2 : 1
    this.#load(person, isolate, cost)
  }

  #load(person: Person, isolate: number, cost: number): void {
    const sentMs = this.#nowMs
    const { sid, isNew } = person
    person.isNew = false
    let isOver = false
    const answer = (): Answer => ({ isolate, sid, isNew, sentMs, nowMs: this.#nowMs })
    this.#after(4 * this.#story.targetMs, () => {
      if (!isOver) this.#control.sample(answer(), 'frustrated')
    })
    this.#shop.serve(cost, isServed => {
      const tookMs = this.#nowMs - sentMs
      isOver = true
      const isLate = tookMs > 4 * this.#story.targetMs
      if (!isLate) this.#control.answered(answer(), isServed ? tookMs : null)
      else if (!isServed) this.#control.turnedFailed(answer())
      this.#pages.push({ atMs: this.#nowMs, tookMs, status: isServed ? 200 : 503, what: '/', isOrigin: true })
      const { thinkMs } = this.#story
      if (isServed && person.assets < ASSETS) {
        person.assets = ASSETS
        for (let i = 0; i < ASSETS; i++) {
          const of = { ...answer(), isolate: this.#random.below(ISOLATES) }
          this.#after(2 * ASSET_MS, () => this.#control.answered({ ...of, nowMs: this.#nowMs }, ASSET_MS))
        }
      }
      this.#after((thinkMs * (1 + 4 * this.#random.next())) / 3, () => this.#click(person))
    })
  }

  #goesOn(person: Person, isolate: number): boolean {
    const snapshot = this.#snapshot
    if (!snapshot || snapshot.inside >= 1) return true
    return mayGoOn(person, this.#isolates[isolate] as { triedMs: number }, snapshot, this.#nowMs)
  }
}
