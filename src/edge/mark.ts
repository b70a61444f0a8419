/**
 * The mark on every answer that is not the origin's: what the answer means, and the room that gives it. Scripts, apps
 * and monitors distinguish a wait from an outage by it. It is taken off every answer of the origin.
 */

/** All states, as in `docs/http.md`. The state of a place has the same name in the JSON. */
export const STATES = [
  // A visitor in line.
  'waiting',
  'called',
  'missed',
  // Only answers to a poll have these states.
  'admitted',
  'none',
  // A visitor without a place.
  'rejected',
  'sold-out',
  'uninvited',
  // Most of these visitors have a session, which goes on.
  'limited',
  'outage',
  'blocked',
  'shed',
  'origin-failed',
  // A request that no person waits for.
  'prefetch',
  'preflight',
  // The browser asks again by itself.
  'redirect',
  'resubmit',
  // Nothing is decided.
  'unavailable',
  'not-configured',
  'misdirected',
  'malformed',
  'control',
] as const

export type State = (typeof STATES)[number]

export const STATE_HEADER = 'Waiting-Room-State'
export const NAME_HEADER = 'Waiting-Room-Name'

/** Marks an answer, and returns it. */
export function marked(state: State, response: Response, room?: string): Response {
  response.headers.set(STATE_HEADER, state)
  if (room !== undefined) response.headers.set(NAME_HEADER, room)
  return response
}
