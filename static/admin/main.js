// @ts-check
// The operators' dashboard: it reads the room when it has news, shows it, and sends changes. This file connects the
// parts.
import { showAdvice } from './advice.js'
import { alertsPart } from './alerts/part.js'
import { auditPart } from './audit/log.js'
import { onMade } from './change.js'
import { showChanges } from './changes.js'
import { checklistPart } from './checklist/part.js'
import { showDecisions } from './decisions.js'
import { all } from './dom.js'
import { eventsPart } from './events/list.js'
import { showEvents } from './events.js'
import { field } from './field.js'
import { overrides } from './file.js'
import { showForecasts } from './forecast.js'
import { showHealth } from './health.js'
import { healthControls } from './health-controls.js'
import { historyControls, showHistory } from './history.js'
import { start } from './login.js'
import { showOverview } from './overview.js'
import './pages.js'
import { addPart, showParts } from './parts.js'
import { rehearsePart } from './rehearse.js'
import { reportsPart } from './reports.js'
import { showRights } from './rights.js'
import { chosen, onNews, poll } from './rooms.js'
import { settingsPart } from './settings/part.js'
import {
  followScroll,
  showConnection,
  showDetails,
  showFigures,
  showNotices,
  showOperator,
  showRooms,
  showState,
} from './show.js'
import { showSteps, stepUpControls } from './step-up.js'
import { flag } from './switch.js'
import { tokensPart } from './tokens/part.js'
import { noteChange, showUndo, undoControl } from './undo.js'
import { visitorsPart } from './visitors/part.js'

/** Each control shows settings of a room and can change them. */
const controls = [...all('[data-setting]').map(field), ...all('[data-switch]').map(flag), healthControls(), overrides()]

addPart(eventsPart)
addPart(settingsPart)
addPart(visitorsPart)
addPart(checklistPart)
addPart(reportsPart)
addPart(alertsPart)
addPart(auditPart)
addPart(tokensPart)
addPart(rehearsePart)
onNews(show)
followScroll()
historyControls()
stepUpControls()
undoControl()
onMade(noteChange)
setInterval(showConnection, 1_000)
addEventListener('hashchange', () => {
  show()
  poll()
})
addEventListener('online', poll)
document.addEventListener('visibilitychange', () => document.hidden || poll())
start()

function show() {
  showAll()
  showRights()
}

function showAll() {
  const room = chosen()
  showConnection()
  showNotices()
  showOperator()
  showRooms(room)
  showOverview()
  const isNow = showParts(room)
  if (!room) return
  showState(room)
  showUndo(room)
  if (!isNow) return
  showFigures(room)
  showHistory(room)
  showHealth(room)
  showDecisions(room)
  showDetails(room)
  showEvents(room)
  for (const control of controls) control(room)
  showForecasts(room)
  showAdvice(room)
  showSteps(room)
  showChanges(room)
}
