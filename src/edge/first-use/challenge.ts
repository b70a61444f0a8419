/**
 * The challenge of a room. It is set together with a visitor's place, and tested when the solution comes. Neither calls
 * an object.
 */
import { neverMoves, solved, UNSOLVED_QUOTA, unsolvedQuota, workAt } from '../../core/place/challenge.ts'
import type { WaitStep } from '../../core/place/steps.ts'
import { placeIdOf, type Ticket } from '../../core/ticket.ts'
import { categoryTest, SEARCH_ENGINES } from '../../settings/bypass/bots.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { networkDelayMs } from './network-quota.ts'
import { placeMark, usesTurnstile, type Verified, verifyToken } from './turnstile.ts'

/** How many solutions of one place an isolate tests. A browser sends one; a few more may follow a lost answer. */
const SOLUTIONS = { intervalMs: 2_000, burst: 5 }

/** A challenge as pages and programs get it: a proof of work, or a widget of Turnstile. */
export type SetChallenge =
  | Awaited<ReturnType<RoomClient['tokens']['newChallenge']>>
  | { readonly turnstile: { readonly sitekey: string; readonly cData: string } }

const isSearchEngine = categoryTest([SEARCH_ENGINES])

/**
 * True if no challenge is set for this visitor. Only the platform can verify which crawler a visitor is. Without
 * challenges it is not asked, because the runtime parses its properties for each request.
 */
export function isExempt(visit: Visit, room: RoomClient): boolean {
  if (room.settings.at(visit.nowMs).step.challenge.when === 'off') return false
  return isSearchEngine(visit.platform.verifiedBotCategory ?? null)
}

/**
 * Returns the challenge that a waiting visitor has to solve, or null. `before` is the ticket with which the visitor
 * came: the first challenge of each ticket is counted.
 */
export async function challengeFor(
  visit: Visit,
  room: RoomClient,
  step: WaitStep,
  before: Ticket | null,
): Promise<SetChallenge | null> {
  if (!step.isUnsolved || !step.snapshot) return null
  const isWidget = usesTurnstile(visit, room)
  if (step.issued !== null || !before?.challenge) countChallenge(room, 'asked', isWidget)
  if (isWidget) {
    const { site_key: sitekey } = room.settings.config.challenge
    return { turnstile: { sitekey, cData: await placeMark(step.ticket) } }
  }
  return room.tokens.newChallenge(step.ticket, workAt(step.snapshot), visit.nowMs)
}

/**
 * Returns how many milliseconds a ticket must wait before it may count without a solution, by the quotas of its network
 * and of the room.
 */
export function unsolvedDelayMs(visit: Visit, room: RoomClient): number {
  const { nowMs } = visit
  const ofRoom = unsolvedQuota(room.settings.at(nowMs).config.new_users_per_minute)
  const roomDelayMs = room.spendOrWaitMs('unsolved', ofRoom, nowMs)
  if (roomDelayMs > 0) return roomDelayMs
  const delayMs = networkDelayMs(visit, room, 'unsolved', UNSOLVED_QUOTA)
  if (delayMs > 0) room.giveBack('unsolved', ofRoom, 1)
  return delayMs
}

/** Returns the milliseconds until a visitor may send another solution. */
export function solvesInMs(visit: Visit, room: RoomClient, ticket: Ticket): number {
  return room.spendOrWaitMs(`solution/${placeIdOf(ticket)}`, SOLUTIONS, visit.nowMs)
}

/** Returns the ticket after its visitor has sent a solution: solved, failed or unchanged. */
export async function withSolution(visit: Visit, room: RoomClient, ticket: Ticket, given: unknown): Promise<Ticket> {
  const { challenge } = room.settings.at(visit.nowMs).step
  const isOver = ticket.confirmed || ticket.challenge?.state === 'solved'
  if (challenge.when === 'off' || isOver || neverMoves(ticket, challenge)) return ticket
  const tested = await test(visit, room, ticket, given)
  countChallenge(room, tested, isToken(given) && room.settings.config.challenge.provider === 'turnstile')
  if (tested === 'solved') return solved(ticket)
  return tested === 'wrong' && challenge.failed === 'infinite' ? { ...ticket, challenge: { state: 'failed' } } : ticket
}

/**
 * A token of Turnstile is tested even while the isolate sets proofs of work, because a visitor may already have one.
 */
async function test(visit: Visit, room: RoomClient, ticket: Ticket, given: unknown): Promise<Verified> {
  if (room.settings.config.challenge.provider !== 'turnstile') return room.tokens.testSolution(ticket, given)
  if (isToken(given)) return verifyToken(visit, room, ticket, given.turnstile)
  return usesTurnstile(visit, room) ? 'expired' : room.tokens.testSolution(ticket, given)
}

function isToken(given: unknown): given is { readonly turnstile: unknown } {
  return typeof given === 'object' && given !== null && 'turnstile' in given
}

/** Counts a challenge among all of the room, and those of Turnstile once more by themselves. */
function countChallenge(room: RoomClient, what: 'asked' | Verified, isWidget: boolean): void {
  room.count(`challenge_${what}`)
  if (isWidget) room.count(`turnstile_${what}`)
}
