/** Sids as doors know them: `<door>.<the visitor's own part>`. */

/** `madeMs` is whole milliseconds after the start. */
export function sidOf(door: number, visitor: number, madeMs: number): string {
  return `d${door}.${visitor}-${madeMs}`
}

export function visitorOf(sid: string): number {
  return Number.parseInt(sid.slice(sid.indexOf('.') + 1), 10)
}
