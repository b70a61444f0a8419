/**
 * Transfers: a place goes from one browser to another. The first browser shows a code, and the other one sends it.
 *
 * The sid stays, so both tickets name the same place, and the place gives one session (I7). Each transfer raises a
 * number in the ticket. The door refuses tickets with a lower number. Snapshots name the places that were transferred
 * lately.
 */
import { own } from '../own.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'

/** A code is valid for this long, and can be used once. */
export const CODE_FOR_MS = 10 * 60_000
/** These characters have 50 bits. With ten thousand valid codes, one in 10^11 guesses succeeds. */
export const CODE_CHARACTERS = 10
/** The digits of Crockford's Base 32. It has no letters that look like a digit. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE = new RegExp(`^([A-Z]{2})([0-9OIL]{1,4})([0-9A-Z]{${CODE_CHARACTERS}})$`)
const GROUP = CODE_CHARACTERS / 2
/** 48 bits of a sid distinguish the few places that were transferred lately from all others. */
const ID_CHARACTERS = 8

type PlaceName = Pick<Ticket, 'sid' | 'takenMs'>

/** A code that a visitor has typed, and the door in it. */
export interface ReadCode {
  readonly door: string
  readonly code: string
}

/**
 * Returns a code such as `EU0-7K3M9-QX4PA`. It begins with the name of its door. `random` has a byte for each further
 * character.
 */
export function newCode(door: string, random: Uint8Array): string {
  return written(door, [...random.subarray(0, CODE_CHARACTERS)].map(byte => DIGITS[byte % DIGITS.length]).join(''))
}

/** Reads a code as people type it. Returns null if the text is no code. */
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

/** True if the place of a ticket is now in another browser, as far as the snapshot shows. */
export function isTransferred(ticket: Ticket, { transferred }: Pick<Snapshot, 'transferred'>): boolean {
  if (!transferred) return false
  return (own(transferred, transferIdOf(ticket)) ?? 0) > (ticket.transfers ?? 0)
}

function written(door: string, secret: string): string {
  return `${door.replace('-', '').toUpperCase()}-${secret.slice(0, GROUP)}-${secret.slice(GROUP)}`
}

/** Replaces the letters that look like digits by those digits. */
function asDigits(text: string): string {
  return text.replace(/O/g, '0').replace(/[IL]/g, '1')
}
