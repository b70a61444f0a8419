/** The states in which visitors may see the pages of a room, with made-up visitors and figures for a preview. */
import type { HealthSnapshot } from '../../core/health/effect.ts'
import type { Place } from '../../core/place/place.ts'
import type { Snapshot } from '../../core/protocol/messages.ts'
import { MAIN_LANE, type Ticket } from '../../core/ticket.ts'
import type { SetChallenge } from '../first-use/challenge.ts'
import type { OnPage, Rejected, Waiting } from '../gate/verdict.ts'
import type { RoomView } from '../room-client/room-client.ts'

const MINUTE_MS = 60_000
const AHEAD = 41
const SID = 'wn-0.AAAAAAAAAAAAAAAAAAAAAA'
const IN_LINE = {
  state: 'waiting',
  ahead: AHEAD,
  position: AHEAD + 1,
  wait: { likelyMs: 6 * MINUTE_MS, lowMs: 5 * MINUTE_MS, highMs: 8 * MINUTE_MS },
} as const
const NO_NUMBER = { state: 'waiting', ahead: 0, position: null, wait: null } as const
const PROVISIONAL = { place: NO_NUMBER, ticket: { confirmed: false, low: null } } as const
const CALLED = { state: 'called' } as const
/** A challenge that is never solved, because a preview runs no script. */
const CHALLENGE: SetChallenge = {
  parameters: { algorithm: 'PBKDF2/SHA-256', nonce: '', salt: '', cost: 1_000, keyLength: 32, keyPrefix: '00' },
}
const OUTAGE: HealthSnapshot = {
  reason: 'outage',
  inside: 0,
  paused: true,
  breakers: { origin: 'open' },
  back: {},
  retryAfterMs: 10_000,
}
/** In the sample pages an event starts this long from now. */
export const STARTS_IN_MS = 25 * MINUTE_MS
const CLAIM_LEFT_MS = 272_000

/** How a sample differs from an ordinary visitor in line. */
interface Difference {
  readonly place?: Place
  readonly ticket?: Partial<Ticket>
  readonly snapshot?: Partial<Snapshot>
  readonly more?: Partial<
    Pick<Waiting, 'missed' | 'invitation' | 'endedByInactivity' | 'requeuedBy' | 'challenge' | 'why'>
  >
}

/** Sample pages for visitors in line, by name. */
const WAITING: Readonly<Record<string, (nowMs: number) => Difference>> = {
  waiting: () => ({}),
  new: () => PROVISIONAL,
  called: nowMs => ({ place: CALLED, ticket: { byMs: nowMs + CLAIM_LEFT_MS, low: 1 } }),
  missed: () => ({ more: { missed: true } }),
  held: () => ({ snapshot: { held: true } }),
  slower: () => ({ snapshot: { slowed: 'full' } }),
  'origin-down': () => ({ snapshot: { held: true, health: OUTAGE } }),
  'sold-out-in-line': () => ({ snapshot: { soldOut: true, held: true } }),
  'visit-ended': () => ({ more: { endedByInactivity: { isAtFront: false } } }),
  'over-a-limit': () => ({ more: { requeuedBy: 'session' } }),
  priority: () => ({ ticket: { lane: 'priority' }, more: { invitation: 'valid' } }),
  'bad-invitation-in-line': () => ({ more: { invitation: 'invalid' } }),
  undrawn: nowMs => ({ place: { ...NO_NUMBER, drawnMs: nowMs + MINUTE_MS } }),
  form: () => ({}),
}

/** Sample pages for visitors in line, in a room with an event, by name. */
const WITH_EVENT: Readonly<Record<string, (nowMs: number) => Difference>> = {
  'before-start': nowMs => ({ place: { ...NO_NUMBER, startsMs: nowMs + STARTS_IN_MS } }),
  'before-draw': nowMs => ({
    place: { ...NO_NUMBER, startsMs: nowMs + STARTS_IN_MS },
    ticket: { entry: { event: 'sample', draw: 1 } },
  }),
}

/** Sample pages for visitors in line, in a room with a challenge, by name. */
const WITH_CHALLENGE: Readonly<Record<string, (nowMs: number) => Difference>> = {
  challenge: () => ({ ...PROVISIONAL, more: { challenge: CHALLENGE } }),
  'challenge-failed': () => ({ ...PROVISIONAL, more: { why: 'failed-challenge' } }),
}

const REJECTED: Readonly<Record<string, Pick<Rejected, 'why'> & { readonly soldOut?: true }>> = {
  'no-line': { why: 'rejects-newcomers' },
  'sold-out': { why: 'sold-out', soldOut: true },
  'invite-only': { why: 'uninvited' },
  'bad-invitation': { why: 'invalid-invitation' },
  transferred: { why: 'transferred' },
}

export const SAMPLES = {
  waiting: Object.keys(WAITING),
  withEvent: Object.keys(WITH_EVENT),
  withChallenge: Object.keys(WITH_CHALLENGE),
  rejected: Object.keys(REJECTED),
  limited: ['limited', 'limited-network', 'limited-for-good'],
  blocked: ['outage', 'part-blocked', 'shed', 'outage-outside', 'part-blocked-outside'],
  failed: ['origin-slow', 'origin-unreachable'],
  resubmit: ['resubmit'],
  transfer: ['transfer', 'transfer-here', 'transfer-bad-code'],
} as const

export function waitingSample(name: string, room: RoomView, nowMs: number): OnPage<Waiting> {
  const { place, ticket, snapshot, more } = (WAITING[name] ?? WITH_EVENT[name] ?? WITH_CHALLENGE[name])?.(nowMs) ?? {}
  return {
    kind: 'waiting',
    why: 'not-called',
    room,
    ticket: { ...ticketIn(room, nowMs), ...ticket },
    token: null,
    place: place ?? IN_LINE,
    pollAfterMs: 20_000,
    missed: false,
    invitation: 'none',
    endedByInactivity: null,
    requeuedBy: null,
    challenge: null,
    snapshot: { ...snapshotAt(nowMs), ...snapshot },
    ...more,
  }
}

export function rejectedSample(name: string, room: RoomView, nowMs: number): OnPage<Rejected> {
  const { why = 'rejects-newcomers', soldOut = false } = REJECTED[name] ?? {}
  return { kind: 'rejected', why, room, retryAfterMs: 30_000, snapshot: { ...snapshotAt(nowMs), soldOut } }
}

function snapshotAt(nowMs: number): Snapshot {
  return {
    asOfMs: nowMs,
    generation: 1,
    open: false,
    held: false,
    full: true,
    ratePerSecond: 1,
    lanes: {},
  }
}

function ticketIn({ name }: RoomView, nowMs: number): Ticket {
  return {
    room: name,
    sid: SID,
    key: nowMs - MINUTE_MS,
    lane: MAIN_LANE,
    confirmed: true,
    low: AHEAD + 1,
    byMs: null,
    generation: 1,
    issuedMs: nowMs,
  }
}
