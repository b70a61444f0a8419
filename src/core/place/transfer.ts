/**
 * Transfers: a place goes from one browser to another. The first one shows a code, and the other one gives it back.
 *
 * The sid stays, so both tickets name the same place, and it gives one session (I7). Each transfer raises a number in
 * the ticket. Its door refuses tickets with a lower number, and snapshots name the places that were transferred lately.
 */
import { own } from '../own.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'

/** A code is valid for this long, and once. */
export const CODE_FOR_MS = 10 * 60_000
/** 50 bits, so that a guess at one of ten thousand codes succeeds once in 10^11 tries. */
export const CODE_CHARACTERS = 10
/** The digits of Crockford's Base 32: no letter looks like a digit. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE = new RegExp(`^([A-Z]{2})([0-9OIL]{1,4})([0-9A-Z]{${CODE_CHARACTERS}})$`)
const GROUP = CODE_CHARACTERS / 2
/** 48 bits of a sid tell the few places that were transferred lately from all others. */
const ID_CHARACTERS = 8

type PlaceName = Pick<Ticket, 'sid' | 'takenMs'>

/** A code that a visitor has typed, with the door that it names. */
export interface ReadCode {
  readonly door: string
  readonly code: string
}

/** Returns a code such as `EU0-7K3M9-QX4PA`. It begins with its door. `random` has a byte for each other character. */
export function newCode(door: string, random: Uint8Array): string {
  return written(door, [...random.subarray(0, CODE_CHARACTERS)].map(byte => DIGITS[byte % DIGITS.length]).join(''))
}

/** Reads a code as people type it. Returns null for any text that is none. */
export function readCode(text: string): ReadCode | null {
  const [, region = '', number = '', secret = ''] = CODE.exec(text.toUpperCase().replace(/[^0-9A-Z]/g, '')) ?? []
  if (secret === '') return null
  const door = `${region.toLowerCase()}-${Number(asDigits(number))}`
  const digits = asDigits(secret)
  if ([...digits].some(digit => !DIGITS.includes(digit))) return null
  return { door, code: written(door, digits) }
}

/** Returns the short name of a place in snapshots. */
export function transferIdOf({ sid, takenMs }: PlaceName): string {
  const dot = sid.indexOf('.') + 1
  const id = sid.slice(dot, dot + ID_CHARACTERS)
  return takenMs === undefined ? id : `${id}.${takenMs}`
}

/** Whether the place of a ticket is in another browser now, as far as a snapshot reports it. */
export function isTransferred(ticket: Ticket, { transferred }: Pick<Snapshot, 'transferred'>): boolean {
  if (!transferred) return false
  return (own(transferred, transferIdOf(ticket)) ?? 0) > (ticket.transfers ?? 0)
}

function written(door: string, secret: string): string {
  return `${door.replace('-', '').toUpperCase()}-${secret.slice(0, GROUP)}-${secret.slice(GROUP)}`
}

/** Returns a text with the letters that look like digits replaced by these. */
function asDigits(text: string): string {
  return text.replace(/O/g, '0').replace(/[IL]/g, '1')
}
