// @ts-check
// The operators' dashboard: reads the room every second, shows it, and sends changes. This file puts the parts together.
import { showChanges } from './admin-changes.js'
import { $, all } from './admin-dom.js'
import { showEvents } from './admin-events.js'
import { field } from './admin-field.js'
import { overrides } from './admin-file.js'
import { showHealth } from './admin-health.js'
import { start } from './admin-login.js'
import { chosen, onNews, poll } from './admin-rooms.js'
import {
  followScroll,
  showConnection,
  showDetails,
  showFigures,
  showNotices,
  showRooms,
  showState,
} from './admin-show.js'
import { flag } from './admin-switch.js'

/** Each shows settings of a room, and lets them be changed. */
const controls = [...all('[data-setting]').map(field), ...all('[data-switch]').map(flag), overrides()]

onNews(show)
followScroll()
setInterval(showConnection, 1_000)
addEventListener('hashchange', () => {
  show()
  poll()
})
addEventListener('online', poll)
document.addEventListener('visibilitychange', () => document.hidden || poll())
start()

function show() {
  const room = chosen()
  showConnection()
  showNotices()
  showRooms(room)
  $('room').hidden = !room
  if (!room) return
  showState(room)
  showFigures(room)
  showHealth(room)
  showDetails(room)
  showEvents(room)
  for (const control of controls) control(room)
  showChanges(room)
}
