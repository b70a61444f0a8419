/** Sids as doors read them: `<door>.<the visitor's own part>`. */

const DOT = 46
const ZERO = 48

/** `madeMs` is whole milliseconds after the start. */
export function sidOf(door: number, visitor: number, madeMs: number): string {
  return `d${door}.${visitor}-${madeMs}`
}

/** Reads digit by digit, to be fast: every claim and every page calls it. */
export function doorNumberOf(sid: string): number {
  let door = 0
  for (let at = 1; sid.charCodeAt(at) !== DOT; at++) door = 10 * door + sid.charCodeAt(at) - ZERO
  return door
}

export function visitorOf(sid: string): number {
  return Number.parseInt(sid.slice(sid.indexOf('.') + 1), 10)
}
