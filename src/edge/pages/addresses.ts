/**
 * The addresses of a room's own routes. They have no host, so browsers resolve them against the address of the page.
 */
import { ANSWER, isWaitPage } from '../gate/confirm.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import { inLanguageOf } from '../texts/choose.ts'
import { refreshUrl } from './page.ts'

/** Returns the address that a waiting visitor polls. With `claim=1` a poll of a called visitor takes a permit. */
export function statusUrl(visit: Visit, room: RoomView): string {
  return inLanguageOf(visit, room.settings.config, `${addressOf(visit, room, 'status')}&claim=1`)
}

/** Returns the address of our page on which a person can wait for this room. */
export function waitUrl(visit: Visit, room: RoomView): string {
  return inLanguageOf(visit, room.settings.config, addressOf(visit, room, 'wait'))
}

/**
 * Returns the address by which a called visitor goes in, if the room asks for a confirmation. The visitor controls a
 * part of it. So it is encoded, and cannot end a quoted text on a page of the operator.
 */
export function enterUrl(visit: Visit, room: RoomView, leadsTo: string): string {
  const isWait = isWaitPage(visit)
  const to = destination(visit, leadsTo)
  // In a frame the wait ends on an empty page, even if the visitor has to confirm.
  const embedded = isWait && visit.url.searchParams.get('embedded') === '1' ? '&embedded=1' : ''
  return `${waitUrl(visit, room)}${embedded}&${ANSWER}=1&to=${encodeURIComponent(to).replace(/'/g, '%27')}`
}

/**
 * Returns the address to which a visitor posts to give up the place. From the answer the visitor can return to
 * `leadsTo`.
 */
export function leaveUrl(visit: Visit, room: RoomView, leadsTo: string): string {
  return inLanguageOf(
    visit,
    room.settings.config,
    `${addressOf(visit, room, 'leave')}&to=${encodeURIComponent(leadsTo)}`,
  )
}

/** Returns the address to which a visitor of a transferred place posts to stand in line anew. */
export function anewUrl(visit: Visit, room: RoomView, leadsTo: string): string {
  return `${leaveUrl(visit, room, leadsTo)}&again=1`
}

/** Returns the address to which a visitor posts to get a code. With the code another browser can take the place. */
export function transferUrl(visit: Visit, room: RoomView, leadsTo: string): string {
  const to = encodeURIComponent(destination(visit, leadsTo))
  return inLanguageOf(visit, room.settings.config, `${addressOf(visit, room, 'transfer')}&to=${to}`)
}

/** Returns the address of the page on which another browser gives a code, or is asked about one. */
export function codeUrl(visit: Visit, room: RoomView, code: string | null): string {
  const url = inLanguageOf(visit, room.settings.config, addressOf(visit, room, 'transfer'))
  return code === null ? url : `${url}&code=${code}`
}

/** Returns the address to which another browser posts a code, to take the place. */
export function takeUrl(visit: Visit, room: RoomView): string {
  return inLanguageOf(visit, room.settings.config, addressOf(visit, room, 'transfer/take'))
}

export function drawUrl(visit: Visit, room: RoomView, event: string): string {
  return addressOf(visit, room, `draws/${event}`)
}

/** Returns the address to go on to: `to`, or else the room's path. It is on this origin, and it is no control route. */
export function onwardUrl({ url, deployment }: Visit, { settings }: RoomView): string {
  const asked = url.searchParams.get('to') || settings.config.path
  const to = URL.parse(asked, url.origin)
  if (to?.origin !== url.origin || to.pathname.startsWith(deployment.controlPrefix)) return settings.config.path
  return refreshUrl(to) + to.hash
}

/** Returns where the visitor of a page wants to go. The page on which a person waits is only on the way. */
function destination(visit: Visit, leadsTo: string): string {
  return isWaitPage(visit) ? (visit.url.searchParams.get('to') ?? '') : leadsTo
}

function addressOf({ deployment }: Visit, { name }: RoomView, path: string): string {
  return `${deployment.controlPrefix}/${path}?room=${encodeURIComponent(name)}`
}
