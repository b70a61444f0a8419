/**
 * The mark on every answer that is not the origin's: its meaning, and the room that gives it. By the mark scripts, apps
 * and monitors distinguish a wait from an outage. A mark on an answer of the origin is removed.
 */

/** All states, as in `docs/http.md`. The state of a place has the same name here as in the JSON. */
export const STATES = [
  // The visitor is in line.
  'waiting',
  'called',
  'missed',
  // These states are only on answers to polls.
  'admitted',
  'none',
  // The visitor has no place.
  'rejected',
  'sold-out',
  'uninvited',
  // Most of these visitors have a session, which goes on.
  'limited',
  'outage',
  'blocked',
  'shed',
  'origin-failed',
  // No person waits for the answer to the request.
  'prefetch',
  'preflight',
  // The browser asks again by itself.
  'redirect',
  'resubmit',
  // No decision was possible.
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
