/** The verified tokens of a visitor: the first valid pass, and the oldest ticket. */
import { laneOf } from '../../core/line/line.ts'
import type { Snapshot } from '../../core/protocol/messages.ts'
import { inGeneration, MAIN_LANE, type Pass, type Ticket } from '../../core/ticket.ts'
import { allowedOrigin } from '../request/allowed-origin.ts'
import { cookieName } from '../request/cookies.ts'
import { mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** API clients may send and read their token here. */
export const TOKEN_HEADER = 'Waiting-Room-Token'
/**
 * The most cookies of one name that are verified. A browser sends one, or two or three if domains overlap. More are an
 * attack: a signature takes up to 0.1 ms to check, and a text a few microseconds to inspect.
 */
const VERIFIED_MAX = 10
const INSPECTED_MAX = 200

export interface Carried<Value> {
  readonly value: Value
  /** The token as the visitor sent it. */
  readonly text: string
}

interface CarriedTokens {
  readonly pass: Carried<Pass> | null
  readonly ticket: Carried<Ticket> | null
  /** True if the visitor sent a token that this isolate may not know yet. A new cookie must not overwrite it. */
  readonly keepCookie: boolean
}

const NOTHING: CarriedTokens = { pass: null, ticket: null, keepCookie: false }

export async function carriedBy(visit: Visit, room: RoomClient): Promise<CarriedTokens> {
  const texts = candidates(visit, room)
  if (texts.length === 0) return NOTHING
  let pass: Carried<Pass> | null = null
  let ticket: Carried<Ticket> | null = null
  let keepCookie = false
  for (const text of texts) {
    const token = await room.tokens.read(text, visit.nowMs)
    if (token.kind === 'unknown') keepCookie = true
    else if (token.kind === 'ticket') {
      const isFirst = !ticket || token.ticket.key < ticket.value.key
      if (isFirst && !room.places.hasLeft(token.ticket)) ticket = { value: token.ticket, text }
    } else if (token.kind === 'pass') pass = better(pass, { value: token.pass, text }, visit.nowMs)
  }
  return { pass, ticket, keepCookie }
}

/** Returns the pass of a visitor who is inside, or null if there is none or it has ended. */
export function validPass({ pass }: CarriedTokens, nowMs: number): Pass | null {
  return pass && pass.value.expiresMs > nowMs ? pass.value : null
}

/**
 * Drops the tokens of another generation. An older token is void. A newer one may only be unknown to this isolate yet,
 * so its cookie stays. A ticket of a removed lane becomes one of the main lane.
 */
export function ofThisGeneration({ pass, ticket, keepCookie }: CarriedTokens, snapshot: Snapshot | null) {
  if (!snapshot) return { pass, ticket: ticket?.value ?? null, keepCookie }
  const isNewer = [pass, ticket].some(token => token && token.value.generation > snapshot.generation)
  return {
    pass: pass?.value.generation === snapshot.generation ? pass : null,
    ticket: ticket && inLine(inGeneration(ticket.value, snapshot.generation), snapshot),
    keepCookie: keepCookie || isNewer,
  }
}

function inLine(ticket: Ticket | null, { lanes }: Snapshot): Ticket | null {
  return ticket && laneOf(lanes, ticket) !== ticket.lane ? { ...ticket, lane: MAIN_LANE } : ticket
}

/** Returns the first pass. If only the first pass has expired, returns the other one. */
function better(first: Carried<Pass> | null, other: Carried<Pass>, nowMs: number): Carried<Pass> {
  return !first || (first.value.expiresMs <= nowMs && other.value.expiresMs > nowMs) ? other : first
}

/**
 * True if a visitor gets its token in a header. These are programs without cookies, and scripts of other sites that the
 * room names, because browsers give them no cookie of ours. A request with the cookie of the room never gets it: the
 * cookie is HttpOnly, and a page's script must not read the token in another way.
 */
export function readsHeader(visit: Visit, room: RoomClient): boolean {
  if (cookiesIn(visit, room).length > 0) return false
  const { headers } = visit.request
  if (headers.has(TOKEN_HEADER)) return true
  return visit.kind === 'api' && (!headers.has('Sec-Fetch-Site') || isOfNamedSite(visit, room))
}

function isOfNamedSite(visit: Visit, { settings: { config } }: RoomClient): boolean {
  return !mayGiveCookie(visit, config) && allowedOrigin(visit, config) !== null
}

function cookiesIn(visit: Visit, room: RoomClient): readonly string[] {
  return visit.cookies.get(cookieName(room.settings.config, visit.url)) ?? []
}

function candidates(visit: Visit, room: RoomClient): readonly string[] {
  const header = visit.request.headers.get(TOKEN_HEADER)
  const cookies = cookiesIn(visit, room)
  const texts = header === null ? cookies : [header, ...cookies]
  if (texts.length < 2) return texts
  let left = VERIFIED_MAX
  const inspected = [...new Set(texts)].slice(0, INSPECTED_MAX)
  return inspected.filter(text => !room.tokens.isCostly(text) || left-- > 0)
}
