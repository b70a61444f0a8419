/**
 * The messages between edges, doors and a room, as the simulator sends them over the real core. Each version's messages
 * are kept, because for some minutes after a deployment the Worker and its objects run different versions.
 */
import type {
  Claim,
  ClaimAnswer,
  DoorReport,
  EdgeReply,
  EdgeReport,
  Renewal,
  RenewalAnswer,
} from '../../src/core/protocol/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'
import { Door } from '../simulation/door.ts'
import { type Below, Room, type RoomAnswer } from '../simulation/room.ts'
import type { Visitor } from '../simulation/visitor.ts'
import { type Scenario, World } from '../simulation/world.ts'
import { typesIn } from './shape.ts'

/** The messages of each kind. No two messages of one kind have the same members. */
export interface Messages {
  readonly edgeReport: readonly EdgeReport[]
  readonly edgeReply: readonly EdgeReply<never>[]
  readonly doorReport: readonly DoorReport[]
  readonly doorReply: readonly RoomAnswer[]
  readonly claim: readonly Claim[]
  readonly claimAnswer: readonly ClaimAnswer[]
  readonly renewal: readonly Renewal[]
  readonly renewalAnswer: readonly RenewalAnswer[]
  readonly settings: readonly RoomConfig[]
}
export type Kind = keyof Messages

const KEPT_OF_EACH = 8

/** A small crowd over a bad network, so that claims are refused, sessions end, and reports are repeated. */
const BASE: Scenario = {
  seed: 1,
  visitors: 200,
  arriveMs: 20_000,
  ratePerMinute: 240,
  totalActiveUsers: 40,
  sessionMs: 12_000,
  stayMs: 6_000,
  noShows: 0.2,
  late: 0.05,
  edges: 2,
  doors: 2,
  clockSkewMs: 0,
  loss: 0.05,
  duplicate: 0.05,
  evictions: 4,
  changes: [{ atMs: 40_000, ratePerMinute: 0 }],
  untilMs: 60_000,
}

const SCENARIOS: readonly Scenario[] = [
  BASE,
  { ...BASE, lanes: [{ name: 'vip', share: 0.3, crowd: 0.2 }] },
  { ...BASE, shuffleMs: 5_000 },
  { ...BASE, drawAtMs: 15_000, loss: 0, evictions: 0, late: 0 },
  { ...BASE, limit: { count: 60, periodMs: 60_000, burst: 20 } },
]

/** Plays the scenarios, and returns the messages. */
export function recordMessages(): Messages {
  const kept = new Map<Kind, Map<string, unknown>>()
  const note = (kind: Kind, message: unknown) => {
    const known = kept.get(kind) ?? new Map<string, unknown>()
    kept.set(kind, known)
    const members = [...typesIn(message).keys()].sort().join()
    if (known.size < KEPT_OF_EACH && !known.has(members)) known.set(members, JSON.parse(JSON.stringify(message)))
  }
  const [config] = parseRooms([
    { name: 'shop', host: 'shop.example', total_active_users: 40, new_users_per_minute: 240 },
  ])
  note('settings', config)
  const restore = listen(note)
  try {
    for (const scenario of SCENARIOS) new World(scenario).run()
  } finally {
    restore()
  }
  return Object.fromEntries([...kept].map(([kind, messages]) => [kind, [...messages.values()]])) as unknown as Messages
}

/** Notes the messages of all simulated doors and rooms. Returns a function that ends this. */
function listen(note: (kind: Kind, message: unknown) => void): () => void {
  const { claim, renew, sync } = Door.prototype
  const { sync: syncRoom } = Room.prototype
  Door.prototype.claim = function (this: Door, visitor: Visitor, request: Claim, reply: (answer: ClaimAnswer) => void) {
    note('claim', request)
    claim.call(this, visitor, request, answer => {
      note('claimAnswer', answer)
      reply(answer)
    })
  }
  Door.prototype.renew = function (this: Door, visitor: Visitor, request: Renewal) {
    note('renewal', request)
    const answer = renew.call(this, visitor, request)
    note('renewalAnswer', answer)
    return answer
  }
  Door.prototype.sync = function (this: Door, report: EdgeReport, reply: (answer: EdgeReply<never>) => void) {
    note('edgeReport', report)
    sync.call(this, report, answer => {
      note('edgeReply', answer)
      reply(answer)
    })
  }
  Room.prototype.sync = function (this: Room, report: DoorReport, below: Below, reply: (answer: RoomAnswer) => void) {
    note('doorReport', report)
    syncRoom.call(this, report, below, answer => {
      note('doorReply', answer)
      reply(answer)
    })
  }
  return () => {
    Object.assign(Door.prototype, { claim, renew, sync })
    Object.assign(Room.prototype, { sync: syncRoom })
  }
}
