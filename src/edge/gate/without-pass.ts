/** The steps of visitors who are not inside: one step in the line, and the claim of a visitor who is called. */
import { drawnMsOf, nextPollMs, placeOf, refused, seen } from '../../core/place/place.ts'
import { doorOf, placeIdOf, type Ticket } from '../../core/ticket.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'
import { claim } from './claim.ts'
import { withPlace } from './event-tickets.ts'
import { mayConfirm } from './network-quota.ts'
import { changesLane, confirm, giveUp, mint, newSid, placeAfter } from './tickets.ts'
import type { Admitted, Rejected, Waiting } from './verdict.ts'

/** The time until the next try, where nothing is known that would give a better one. */
export const SHORT_RETRY_MS = 5_000
/** The life of a pass that is given while the room cannot be reached. */
const FALLBACK_PASS_MS = 60_000
/** A rejected visitor may come back at any time. This number is for programs, so that they do not come back at once. */
const REJECTED_RETRY_MS = 30_000
/**
 * The place shown to a visitor who was refused a moment ago, or who came while no door answers. The ticket keeps its
 * real place, which is not known here.
 */
const NO_PLACE_YET = { state: 'waiting', ahead: 0, position: null, wait: null } as const

/**
 * One step of a visitor who is not inside. Returns the place as it is now, or the pass that a claim gives when the
 * visitor is called and may claim.
 *
 * Without a ticket the visitor gets a place, or is rejected where newcomers do not wait. A visitor who missed the call
 * gets a new place, and the answer reports it.
 *
 * `claims` is the number of claims left: a ticket whose session has ended leads to a second claim. `charges` is true
 * when the request goes on to the origin with its claim.
 */
export async function stand(
  visit: Visit,
  room: RoomClient,
  carried: Ticket | null,
  options: {
    claims: number
    keepCookie: boolean
    invited: Invited
    charges?: boolean
    behindMs?: number
    /** The ticket is new, and not in the visitor's cookie yet. */
    isReplaced?: boolean
    /** The ended session that this place follows. Its token may come again. */
    after?: string | undefined
    /**
     * Whether this request may claim, if it would go on to the origin. Only called for a visitor who is called, because
     * the question charges a network.
     */
    mayClaim?: (() => boolean) | undefined
  },
): Promise<Admitted | Waiting | Rejected> {
  const { nowMs } = visit
  const { claimWindowMs } = room.settings
  const { invited } = options
  if (!carried && isUninvited(room, invited)) return rejected(visit, room, invited)
  const mayAdmit = room.settings.config.on_room_failure === 'admit' && !room.view?.soldOut
  if (mayAdmit && options.claims > 0 && room.sync.hasFailed(nowMs)) {
    const admitted = await admitLocally(visit, room)
    if (admitted) return admitted
  }
  const rejects = room.settings.at(nowMs).newcomers === 'are rejected'
  if (!room.view) return carried || !rejects ? withoutView(visit, room, carried, options) : rejected(visit, room)
  if (room.view.soldOut && room.settings.config.when_sold_out === 'reject') return rejected(visit, room)
  // Most rooms have no events, so their polls skip this wait.
  const held = carried && room.view.events ? await withPlace(carried, room.view, nowMs) : carried
  const standing = held && placeOf(held, room.view, claimWindowMs, nowMs).state
  const missed = standing === 'missed'
  if (missed && isUninvited(room, invited)) return rejected(visit, room, invited)
  // A visitor keeps the lane when called, in a room that rejects newcomers, and when the cookie must not be
  // overwritten.
  const isOffered = !rejects && !options.keepCookie
  const changes = held !== null && standing === 'waiting' && isOffered && changesLane(room, held, invited)
  if (changes) giveUp(room, held)
  let ticket = held && !missed && !changes ? held : await mint(visit, room, room.view, invited, options.behindMs)
  const view = room.viewAt(doorOf(ticket.sid)) ?? room.view
  let place = placeOf(ticket, view, claimWindowMs, nowMs)
  const isNewcomer = ticket !== held
  // The first use of a ticket counts against the quota of its network. Beyond the quota the ticket is delayed.
  const isFirst = isNewcomer || !ticket.confirmed
  const delayMs = isFirst && (!isNewcomer || place.state === 'called') ? mayConfirm(visit, room) : 0
  if (delayMs > 0) {
    room.count('delayed')
    if (rejects && isNewcomer) return rejected(visit, room)
    // A visitor who is called meanwhile keeps the turn.
    if (place.state === 'called' && !isNewcomer) ticket = refused(ticket, view, claimWindowMs, nowMs)
    place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (place.state === 'called' && options.claims > 0 && (options.mayClaim?.() ?? true)) {
    const claimed = await claim(visit, room, ticket, { leaves: rejects && isNewcomer, charges: options.charges })
    if (claimed.kind === 'admitted') {
      room.ended.noteNext(options.after, ticket)
      return claimed
    }
    if (claimed.kind === 'ended') {
      const after = placeIdOf(ticket)
      const next = placeAfter(visit, room, after)
      return stand(visit, room, next, { ...options, claims: options.claims - 1, isReplaced: true, after })
    }
    if (rejects && isNewcomer) return rejected(visit, room)
    ticket = refused(ticket, view, claimWindowMs, nowMs)
    if (ticket.byMs === null) place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (rejects && isNewcomer) return rejected(visit, room)
  else if (!isNewcomer) {
    ticket = seen(ticket, place, claimWindowMs, nowMs)
    if (ticket.confirmed && !held.confirmed) confirm(visit, room, ticket)
  }
  room.ended.noteNext(options.after, ticket)
  if (isNewcomer) room.count('minted')
  const changed = (ticket !== carried || options.isReplaced) && !options.keepCookie
  return {
    kind: 'waiting',
    room,
    ticket,
    token: changed ? await room.tokens.signTicket(ticket) : null,
    place,
    // At most half of the claim window, so that a visitor who polls on time is there before the turn is over.
    pollAfterMs: Math.max(delayMs, Math.min(nextPollMs(ticket, place, view, nowMs, Math.random()), claimWindowMs / 2)),
    missed,
    invitation: invited.kind,
    requeuedBy: null,
    view,
  }
}

/**
 * Whether a visitor needs no place here now. Where an invitation is needed, this holds only with a valid one or with a
 * ticket.
 */
export function passesThrough(room: RoomClient, ticket: object | null, invited: Invited, nowMs: number): boolean {
  return room.settings.at(nowMs).newcomers === 'pass through' && (ticket !== null || !isUninvited(room, invited))
}

/**
 * Whether the room is for invited visitors only, and this visitor has no valid invitation. It does not matter to a
 * visitor who has a place.
 */
function isUninvited(room: RoomClient, invited: Invited): boolean {
  return room.settings.config.invite_only && invited.kind !== 'valid'
}

function rejected(visit: Visit, room: RoomClient, invited?: Invited): Rejected {
  if (visit.kind !== 'subresource') room.count('rejected')
  return {
    kind: 'rejected',
    room,
    retryAfterMs: REJECTED_RETRY_MS,
    view: room.view,
    soldOut: room.view?.soldOut ?? false,
    uninvited: invited && invited.kind !== 'valid' ? invited.kind : null,
  }
}

/**
 * `on_room_failure = "admit"`: admits a tenth of the room's rate at each isolate, with passes of one minute. Such
 * visitors are exempt from I1 and I2. Returns null when none may be admitted now.
 */
async function admitLocally(visit: Visit, room: RoomClient): Promise<Admitted | null> {
  const { config, event } = room.settings.at(visit.nowMs)
  const rate = event?.isPrequeue ? 0 : config.new_users_per_minute
  const quota = { intervalMs: 60_000 / Math.max(1, rate / 10), burst: 1 }
  if (rate === 0 || config.queue_all || room.spend('admit', quota, visit.nowMs) > 0) return null
  room.count('fallback')
  const sid = newSid(room, visit)
  const generation = room.view?.generation ?? 0
  const pass = { room: room.name, sid, generation, issuedMs: visit.nowMs, expiresMs: visit.nowMs + FALLBACK_PASS_MS }
  return { kind: 'admitted', room, sid, pass: await room.tokens.signPass(pass), isNew: true, fallback: true }
}

/** Gives or keeps a place while no door has answered this isolate yet. */
async function withoutView(
  visit: Visit,
  room: RoomClient,
  held: Ticket | null,
  options: { keepCookie: boolean; invited: Invited },
): Promise<Waiting> {
  const ticket = held ?? (await mint(visit, room, null, options.invited))
  return {
    kind: 'waiting',
    room,
    ticket,
    token: held || options.keepCookie ? null : await room.tokens.signTicket(ticket),
    place: { ...NO_PLACE_YET, position: ticket.low },
    pollAfterMs: SHORT_RETRY_MS * (0.8 + 0.4 * Math.random()),
    missed: false,
    invitation: options.invited.kind,
    requeuedBy: null,
    view: null,
  }
}
