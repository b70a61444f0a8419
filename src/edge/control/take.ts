/**
 * A browser takes a place by its code. `GET /transfer` asks the visitor, and `POST /transfer/take` takes the place.
 * Only the second uses up the code, so neither the preview of a link nor a crawler uses it up.
 */
import { base64url } from 'jose'
import type { Quota } from '../../core/gcra.ts'
import { type ReadCode, readCode } from '../../core/place/transfer.ts'
import { inGeneration, type Ticket } from '../../core/ticket.ts'
import { isForProgram } from '../answer/outside.ts'
import { carriedBy, ofThisGeneration, readsHeader, TOKEN_HEADER, validPass } from '../gate/presented-tokens.ts'
import { leaveLine } from '../gate/tickets.ts'
import { onwardUrl } from '../pages/addresses.ts'
import { takePage } from '../pages/place/transfer.ts'
import { OWN_HEADERS, problemResponse, tooMany } from '../problem.ts'
import { giveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { bodyOf } from './body.ts'
import { type Answer, isOfAnotherOrigin, ofAnotherOrigin } from './poll.ts'

/** The quota of wrong codes from one network, at one isolate. */
const WRONG_CODES: Quota = { intervalMs: 10_000, burst: 10 }
/** The most bytes of a body, which has a code and the name of an attempt. */
const BODY_BYTES_MAX = 1_024
const CODE_MAX = 40
/** The page names each attempt by 16 random bytes. */
const ATTEMPT_BYTES = 16
const ATTEMPT = /^[\w-]{22}$/
const NEVER_STORED = { 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex', ...OWN_HEADERS }

/** Asks a visitor who opened a link with a code, or asks for the code. It calls no object, whatever the code is. */
export async function askForCode(visit: Visit, room: RoomClient): Promise<Answer> {
  const given = visit.url.searchParams.get('code') ?? ''
  return ['control', await question(visit, room, { code: readCode(given)?.code ?? given, status: 200 })]
}

export async function takeTransfer(visit: Visit, room: RoomClient): Promise<Answer> {
  if (isOfAnotherOrigin(visit, room)) return ofAnotherOrigin(visit, room)
  const form = new URLSearchParams((await bodyOf(visit.request, BODY_BYTES_MAX)) ?? '')
  const given = form.get('code') ?? ''
  await room.sync.current(visit)
  const carried = await carriedBy(visit, room)
  // A visitor who is inside needs no place.
  if (validPass(carried, visit.nowMs)) return goOn(visit, onwardUrl(visit, room))
  const retryAfterMs = spend(visit, room)
  if (retryAfterMs > 0) return ['limited', tooMany('Too many wrong codes', retryAfterMs)]
  const code = readCode(given)
  const by = form.get('by') ?? ''
  const taken = code && (await take(visit, room, code, ATTEMPT.test(by) ? by : newAttempt()))
  if (!taken) return ['control', await question(visit, room, { code: given, status: 404 })]
  room.giveBack(quotaKey(visit), WRONG_CODES, 1)
  const own = ofThisGeneration(carried, room.snapshot).ticket
  if (own && own.sid !== taken.ticket.sid) await leaveLine(visit, room, own)
  const answer = goOn(visit, taken.to)
  const token = await room.tokens.signTicket(taken.ticket)
  giveCookie(visit, room.settings.config, answer[1].headers, token)
  if (readsHeader(visit, room)) answer[1].headers.set(TOKEN_HEADER, token)
  return answer
}

interface Taken {
  readonly ticket: Ticket
  readonly to: string
}

/**
 * Takes the place for which a code was made. Returns null if there is none, or if the place is from an earlier line.
 */
async function take(visit: Visit, room: RoomClient, { door, code }: ReadCode, by: string): Promise<Taken | null> {
  if (!room.mayHaveDoor(door)) return null
  const answer = await room.sessions.takeTransfer(visit, door, { code, by })
  if (answer.verdict === 'none') return null
  const read = await room.tokens.read(answer.token, visit.nowMs)
  const ticket = read.kind === 'ticket' && room.snapshot ? inGeneration(read.ticket, room.snapshot.generation) : null
  return ticket && { ticket: { ...ticket, transfers: answer.transfers, issuedMs: visit.nowMs }, to: answer.to }
}

async function question(
  visit: Visit,
  room: RoomClient,
  { code, status }: { readonly code: string; readonly status: 200 | 404 },
): Promise<Response> {
  const isInvalid = status === 404
  if (isInvalid && isForProgram(visit))
    return problemResponse({ status, type: 'about:blank', title: 'No place has this code now' })
  const shown = { code: code.slice(0, CODE_MAX), by: newAttempt(), isInvalid }
  const { html, headers } = await takePage(visit, room, shown)
  return new Response(visit.request.method === 'HEAD' ? null : html, {
    status,
    headers: { ...NEVER_STORED, ...headers },
  })
}

/** Answers a browser's form by a redirect to the page on which the place waits. A program gets only the token. */
function goOn(visit: Visit, to: string): ['redirect' | 'control', Response] {
  if (isForProgram(visit)) return ['control', new Response(null, { status: 204, headers: NEVER_STORED })]
  return ['redirect', new Response(null, { status: 303, headers: { Location: to, ...NEVER_STORED } })]
}

/** Spends one of the wrong codes that a network may send. If the code was right, it is given back later. */
function spend(visit: Visit, room: RoomClient): number {
  return room.spendOrWaitMs(quotaKey(visit), WRONG_CODES, visit.nowMs)
}

/** Visitors of unknown networks share one quota. */
function quotaKey({ network }: Visit): string {
  return `wrong-codes/${network ?? ''}`
}

function newAttempt(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(ATTEMPT_BYTES)))
}
