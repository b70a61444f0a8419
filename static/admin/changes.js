// @ts-check
// The operators' live changes, newest first. They are read again when the room's version changes. Times are by the
// server's clock.
import { call, pathOf } from './api.js'
import { $, all, make, say } from './dom.js'
import { serverMs } from './rooms.js'
import { asked, moment } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('./api.js').Change} Change */

const SHOWN = 10

/** The room and version for which the list is shown or being read. */
let listed = ''

/** @param {Room} room */
export async function showChanges(room) {
  for (const time of all('#changes time'))
    say(time, moment(Date.parse(time.getAttribute('datetime') ?? ''), serverMs()))
  const wanted = `${room.name} ${room.version}`
  if (listed === wanted) return
  listed = wanted
  const answer = await call(`${pathOf(room)}/changes`)
  if (listed !== wanted) return
  if (answer?.status === 200) write(answer.body.changes)
  else listed = ''
}

/** @param {Change[]} changes */
function write(changes) {
  $('changes-none').hidden = changes.length > 0
  const items = changes.slice(0, SHOWN).map(({ version, atMs, actor, request }) => {
    const time = make('time', moment(atMs, serverMs()))
    time.setAttribute('datetime', new Date(atMs).toISOString())
    const lines = asked(request).map(line => make('p', line))
    return make('li', ...lines, make('small', time, ` · ${actor} · version ${version}`))
  })
  $('changes').replaceChildren(...items)
}
