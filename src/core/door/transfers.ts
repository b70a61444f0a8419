/**
 * The door's part of a transfer: it stores the codes of its places, and gives a place to the first browser that sends
 * the code. From then on it refuses the earlier tickets of that place.
 */
import { CODE_FOR_MS, transferIdOf } from '../place/transfer.ts'
import type { Claim } from '../protocol/messages.ts'
import type { OfferAnswer, TakeAnswer, TransferOffer, TransferTake } from '../protocol/transfers.ts'
import { lastingIdOf } from '../ticket.ts'
import { type DoorSessions, sidFor, type TransferCounts } from './sessions.ts'
import type { DoorState } from './state.ts'

/** The most valid codes at a door. They take about 10 MB. */
const CODES_MAX = 10_000

/** The last transfer of one place, as its door stores it. */
export interface Transfer {
  /** The name of the place, which stays the same. */
  readonly place: string
  /** How many times the place went to another browser. */
  readonly transfers: number
  /** The last code, and until when it is valid. */
  readonly code: string
  readonly untilMs: number
  readonly offer: TransferOffer
  /** The attempt that took the place by this code. Null if none has. */
  readonly takenBy: string | null
}

/** The durable store of a door's transfers. */
export interface TransferStore extends TransferCounts {
  byCode(code: string): Transfer | undefined
  /** Stores the transfer, in place of an earlier one of the same place. */
  save(transfer: Transfer): void
  /** Returns the number of codes that are valid now. */
  codes(nowMs: number): number
}

/** The sessions and the transfers of a door. */
export type DoorPlaces = DoorSessions & { readonly transfers: TransferStore }

/** True if a place has gone to another browser since its ticket was signed. */
export function isElsewhere(
  store: TransferCounts | undefined,
  ticket: Pick<Claim, 'sid' | 'takenMs' | 'transfers'>,
): boolean {
  return store !== undefined && store.timesOf(lastingIdOf(ticket)) > (ticket.transfers ?? 0)
}

/** Stores a code for a place in line. A new code replaces the one before. */
export function keepCode(places: DoorPlaces, offer: TransferOffer, nowMs: number): OfferAnswer {
  const { transfers } = places
  if (isElsewhere(transfers, offer) || isUsed(places, offer, nowMs)) return { verdict: 'over' }
  if (transfers.codes(nowMs) >= CODES_MAX) return { verdict: 'full' }
  const place = lastingIdOf(offer)
  const untilMs = nowMs + CODE_FOR_MS
  transfers.save({ place, transfers: transfers.timesOf(place), code: offer.code, untilMs, offer, takenBy: null })
  return { verdict: 'offered', untilMs }
}

/** Gives the place of a code to this attempt, unless another attempt has taken it, or the place has been used since. */
export function redeemCode(door: DoorState, places: DoorPlaces, { code, by }: TransferTake, nowMs: number): TakeAnswer {
  const found = places.transfers.byCode(code)
  if (!found || nowMs >= found.untilMs) return { verdict: 'none' }
  const { offer, takenBy } = found
  const { token, to } = offer
  if (takenBy !== null)
    return takenBy === by ? { verdict: 'taken', token, to, transfers: found.transfers } : { verdict: 'none' }
  if (isUsed(places, offer, nowMs)) return { verdict: 'none' }
  const transfers = found.transfers + 1
  places.transfers.save({ ...found, transfers, takenBy: by })
  door.ready.delete(offer.sid)
  door.tally.add(`transfer/${transferIdOf(offer)}/${transfers}`)
  return { verdict: 'taken', token, to, transfers }
}

/** True if a place has had its session, or was given up. */
function isUsed({ store }: DoorPlaces, offer: TransferOffer, nowMs: number): boolean {
  return store.get(sidFor(store, offer, store.clock(nowMs))) !== undefined
}
