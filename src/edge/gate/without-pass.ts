/** Those who are not inside: one step in line, and the claim of whoever is called. */
import { drawnMsOf, nextPollMs, placeOf, refused, seen } from '../../core/place/place.ts'
import { doorOf, type Ticket } from '../../core/ticket.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import type { Visit } from '../request/visit.ts'
import type { Invited, RoomAtEdge } from '../room-client/room-client.ts'
import { claim } from './claim.ts'
import { noteNext, placeAfter } from './ended-session.ts'
import { withPlace } from './event-tickets.ts'
import { mayConfirm } from './network-quota.ts'
import { changesLane, confirm, giveUp, mint, nameOf, newSid, signedTicket } from './tickets.ts'
import type { Admitted, Rejected, Waiting } from './verdict.ts'
import { signedPass } from './with-pass.ts'

/** Nothing is known that would say when to come again. */
export const SHORT_RETRY_MS = 5_000
/** A pass for the time in which the room cannot be reached. */
const FALLBACK_PASS_MS = 60_000
/** Who was rejected may come back at any time. This is for programs, which should not come at once. */
const REJECTED_RETRY_MS = 30_000
/** Refused a moment ago, or asked while no door answers: the place is held, and nothing is known of it. */
const NO_PLACE_YET = { state: 'waiting', ahead: 0, position: null, wait: null } as const

/**
 * One step of somebody who is not inside: their place as it is now, and a claim when they are called and may claim. Without
 * a ticket a place is taken now, or the visitor is rejected where newcomers do not wait. A visitor who missed the call gets a new
 * place and is told so. `claims` bounds the calls: a ticket whose
 * session has ended leads to a second one; `charges` when the request goes on with it.
 */
export async function stand(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  carried: Ticket | null,
  options: {
    claims: number
    keepCookie: boolean
    invited: Invited
    charges?: boolean
    behindMs?: number
    /** The ticket is new, and not in the visitor's cookie yet. */
    isReplaced?: boolean
    /** The session in whose place the visitor stands: it is over, and its token may come again. */
    after?: string | undefined
    /** Whether a request may claim that would go on with it. It is asked only about who is called. */
    mayClaim?: (() => boolean) | undefined
  },
): Promise<Admitted | Waiting | Rejected> {
  const { nowMs } = visit
  const { claimWindowMs } = room.settings
  const { invited } = options
  if (!carried && isUninvited(room, invited)) return rejected(visit, room, invited)
  const mayAdmit = room.settings.config.on_room_failure === 'admit' && !room.view?.soldOut
  if (mayAdmit && options.claims > 0 && room.hasFailed(nowMs)) {
    const admitted = await admitLocally(visit, room, ring)
    if (admitted) return admitted
  }
  const rejects = room.settings.at(nowMs).newcomers === 'are rejected'
  if (!room.view) return carried || !rejects ? withoutView(visit, room, ring, carried, options) : rejected(visit, room)
  if (room.view.soldOut && room.settings.config.when_sold_out === 'reject') return rejected(visit, room)
  // Most rooms have no events: their polls wait for nothing.
  const held = carried && room.view.events ? await withPlace(carried, room.view, nowMs) : carried
  const standing = held && placeOf(held, room.view, claimWindowMs, nowMs).state
  const missed = standing === 'missed'
  if (missed && isUninvited(room, invited)) return rejected(visit, room, invited)
  // Who is called already has nothing to gain from another line; and a place is not given up for one that is not to be had, or that no cookie would keep.
  const isOffered = !rejects && !options.keepCookie
  const changes = held !== null && standing === 'waiting' && isOffered && changesLane(room, held, invited)
  if (changes) giveUp(room, held)
  let ticket = held && !missed && !changes ? held : await mint(visit, room, ring, room.view, invited, options.behindMs)
  const view = room.viewAt(doorOf(ticket.sid)) ?? room.view
  let place = placeOf(ticket, view, claimWindowMs, nowMs)
  const isNewcomer = ticket !== held
  // The first time that a ticket is of any use: what a network has too many of waits.
  const isFirst = isNewcomer || !ticket.confirmed
  const delayMs = isFirst && (!isNewcomer || place.state === 'called') ? mayConfirm(visit, room) : 0
  if (delayMs > 0) {
    room.count('delayed')
    if (rejects && isNewcomer) return rejected(visit, room)
    // Whose turn it is meanwhile does not lose it.
    if (place.state === 'called' && !isNewcomer) ticket = refused(ticket, view, claimWindowMs, nowMs)
    place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (place.state === 'called' && options.claims > 0 && (options.mayClaim?.() ?? true)) {
    const claimed = await claim(visit, room, ring, ticket, { leaves: rejects && isNewcomer, charges: options.charges })
    if (claimed.kind === 'admitted') {
      noteNext(room, options.after, ticket)
      return claimed
    }
    if (claimed.kind === 'ended') {
      const after = nameOf(ticket)
      const next = placeAfter(visit, room, after)
      return stand(visit, room, ring, next, { ...options, claims: options.claims - 1, isReplaced: true, after })
    }
    if (rejects && isNewcomer) return rejected(visit, room)
    ticket = refused(ticket, view, claimWindowMs, nowMs)
    if (ticket.byMs === null) place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (rejects && isNewcomer) return rejected(visit, room)
  else if (!isNewcomer) {
    ticket = seen(ticket, place, claimWindowMs, nowMs)
    if (ticket.confirmed && !held.confirmed) confirm(visit, room, ticket)
  }
  noteNext(room, options.after, ticket)
  if (isNewcomer) room.count('minted')
  const changed = (ticket !== carried || options.isReplaced) && !options.keepCookie
  return {
    kind: 'waiting',
    room,
    ticket,
    token: changed ? await signedTicket(room, ring, ticket) : null,
    place,
    // Whoever asks when told to is there in time, however soon a turn is over.
    pollAfterMs: Math.max(delayMs, Math.min(nextPollMs(ticket, place, view, nowMs, Math.random()), claimWindowMs / 2)),
    missed,
    invitation: invited.kind,
    requeuedBy: null,
    view,
  }
}

/** Nobody needs a place here; but where an invitation is needed, only who has one or has a place already goes without. */
export function passesThrough(room: RoomAtEdge, ticket: object | null, invited: Invited, nowMs: number): boolean {
  return room.settings.at(nowMs).newcomers === 'pass through' && (ticket !== null || !isUninvited(room, invited))
}

/** The room is for those invited, and this visitor is not, or not any more. Who has a place keeps it. */
function isUninvited(room: RoomAtEdge, invited: Invited): boolean {
  return room.settings.config.invite_only && invited.kind !== 'valid'
}

function rejected(visit: Visit, room: RoomAtEdge, invited?: Invited): Rejected {
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

/** `on_room_failure = "admit"`: a bounded rate per isolate, with passes of a minute, exempt from I1 and I2 by name. */
async function admitLocally(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Admitted | null> {
  const { config, event } = room.settings.at(visit.nowMs)
  const rate = event?.isPrequeue ? 0 : config.new_users_per_minute
  const quota = { intervalMs: 60_000 / Math.max(1, rate / 10), burst: 1 }
  if (rate === 0 || config.queue_all || room.spend('admit', quota, visit.nowMs) > 0) return null
  room.count('fallback')
  const sid = newSid(room, visit)
  const generation = room.view?.generation ?? 0
  const pass = { room: room.name, sid, generation, issuedMs: visit.nowMs, expiresMs: visit.nowMs + FALLBACK_PASS_MS }
  return { kind: 'admitted', room, sid, pass: await signedPass(room, ring, pass), isNew: true, fallback: true }
}

/** No door has answered this isolate yet: the place is held all the same. */
async function withoutView(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  held: Ticket | null,
  options: { keepCookie: boolean; invited: Invited },
): Promise<Waiting> {
  const ticket = held ?? (await mint(visit, room, ring, null, options.invited))
  return {
    kind: 'waiting',
    room,
    ticket,
    token: held || options.keepCookie ? null : await signedTicket(room, ring, ticket),
    place: { ...NO_PLACE_YET, position: ticket.low },
    pollAfterMs: SHORT_RETRY_MS * (0.8 + 0.4 * Math.random()),
    missed: false,
    invitation: options.invited.kind,
    requeuedBy: null,
    view: null,
  }
}
