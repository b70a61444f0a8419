// @ts-check
// The parts of a room's page. The address names one of them. The first part shows the present state.
import { $, all, make } from './dom.js'
import { chosenPart, isWall } from './rooms.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {{ name: string, title: string, show: (room: Room) => void }} Part */

/** @type {Map<string, Part>} */
const parts = new Map()

/** Adds a part. While the part is on the page, `show` gets the room whenever there is news. @param {Part} part */
export function addPart(part) {
  const main = make('main')
  main.id = `part-${part.name}`
  main.className = 'part'
  main.hidden = true
  $('room').after(...all('main.part'), main)
  $('parts').append(make('a', part.title))
  parts.set(part.name, part)
}

/** Returns the element of a part. @param {string} name */
export function elementOf(name) {
  return $(`part-${name}`)
}

/** Returns the address of a room, with the part that is shown now. @param {Pick<Room, 'name'>} room */
export function hrefOf(room, part = shownPart()) {
  return `#room/${room.name}${part === '' ? '' : `/${part}`}`
}

/** Shows the chosen part. Returns whether it is the first one. @param {Room | undefined} room */
export function showParts(room) {
  const part = shownPart()
  $('parts').hidden = room === undefined || isWall()
  $('room').hidden = room === undefined || part !== ''
  for (const name of parts.keys()) elementOf(name).hidden = room === undefined || part !== name
  if (!room) return false
  for (const [index, name] of ['', ...parts.keys()].entries()) {
    const link = /** @type {HTMLAnchorElement} */ ($('parts').children[index])
    // On a phone some of the links are out of sight. A bare fragment would look like a link to skip content.
    link.href = `./${hrefOf(room, name)}`
    // On a phone the bar is wider than the screen, so it scrolls to the link of the part.
    if (name === part && link.ariaCurrent === null) $('parts').scrollLeft = link.offsetLeft - link.offsetWidth
    link.ariaCurrent = name === part ? 'page' : null
  }
  parts.get(part)?.show(room)
  return part === ''
}

function shownPart() {
  return parts.has(chosenPart()) ? chosenPart() : ''
}
