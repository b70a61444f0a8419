/** The dashboard's files. They contain no secret and no data: the page fetches all data with the operator's token. */

import uplot from '../../node_modules/uplot/dist/uPlot.iife.min.js'
import uplotCss from '../../node_modules/uplot/dist/uPlot.min.css'
import css from '../../static/admin/admin.css'
import html from '../../static/admin/admin.html'
import advice from '../../static/admin/advice.js'
import alertEditor from '../../static/admin/alerts/editor.js'
import alertsPart from '../../static/admin/alerts/part.js'
import alertWords from '../../static/admin/alerts/words.js'
import api from '../../static/admin/api.js'
import auditLog from '../../static/admin/audit/log.js'
import auditWords from '../../static/admin/audit/words.js'
import change from '../../static/admin/change.js'
import changes from '../../static/admin/changes.js'
import chart from '../../static/admin/chart.js'
import charts from '../../static/admin/charts.js'
import checklistCss from '../../static/admin/checklist/checklist.css'
import checklistChecks from '../../static/admin/checklist/checks.js'
import checklistItems from '../../static/admin/checklist/items.js'
import checklistPart from '../../static/admin/checklist/part.js'
import danger from '../../static/admin/danger.js'
import decisions from '../../static/admin/decisions.js'
import dom from '../../static/admin/dom.js'
import download from '../../static/admin/download.js'
import eventCalendarCss from '../../static/admin/events/calendar.css'
import eventCalendar from '../../static/admin/events/calendar.js'
import eventDanger from '../../static/admin/events/danger.js'
import eventEditor from '../../static/admin/events/editor.js'
import eventList from '../../static/admin/events/list.js'
import eventWords from '../../static/admin/events/words.js'
import events from '../../static/admin/events.js'
import field from '../../static/admin/field.js'
import file from '../../static/admin/file.js'
import forecast from '../../static/admin/forecast.js'
import formBoxes from '../../static/admin/form/boxes.js'
import formFields from '../../static/admin/form/fields.js'
import formCss from '../../static/admin/form/form.css'
import formKinds from '../../static/admin/form/kinds.js'
import formProblems from '../../static/admin/form/problems.js'
import formSchema from '../../static/admin/form/schema.js'
import formTimes from '../../static/admin/form/times.js'
import health from '../../static/admin/health.js'
import healthControls from '../../static/admin/health-controls.js'
import historyCss from '../../static/admin/history.css'
import history from '../../static/admin/history.js'
import historyTable from '../../static/admin/history-table.js'
import historyWords from '../../static/admin/history-words.js'
import live from '../../static/admin/live.js'
import login from '../../static/admin/login.js'
import entry from '../../static/admin/main.js'
import operationsCss from '../../static/admin/operations.css'
import overview from '../../static/admin/overview.js'
import pages from '../../static/admin/pages.js'
import partsCss from '../../static/admin/parts.css'
import parts from '../../static/admin/parts.js'
import past from '../../static/admin/past.js'
import rehearseDraw from '../../static/admin/rehearse/draw.js'
import rehearseForm from '../../static/admin/rehearse/form.js'
import rehearsePart from '../../static/admin/rehearse/part.js'
import rehearseCss from '../../static/admin/rehearse/rehearse.css'
import rehearseWords from '../../static/admin/rehearse/words.js'
import rehearseWorker from '../../static/admin/rehearse/worker.js'
import rehearse from '../../static/admin/rehearse.js'
import reports from '../../static/admin/reports.js'
import rights from '../../static/admin/rights.js'
import rooms from '../../static/admin/rooms.js'
import settingsDiff from '../../static/admin/settings/diff.js'
import settingsDraft from '../../static/admin/settings/draft.js'
import settingsFixed from '../../static/admin/settings/fixed.js'
import settingsJson from '../../static/admin/settings/json.js'
import settingsPart from '../../static/admin/settings/part.js'
import settingsReview from '../../static/admin/settings/review.js'
import settingsCss from '../../static/admin/settings/settings.css'
import show from '../../static/admin/show.js'
import stepUp from '../../static/admin/step-up.js'
import toggle from '../../static/admin/switch.js'
import tokensPart from '../../static/admin/tokens/part.js'
import undo from '../../static/admin/undo.js'
import visitorsPart from '../../static/admin/visitors/part.js'
import visitorsCss from '../../static/admin/visitors/visitors.css'
import visitorsWords from '../../static/admin/visitors/words.js'
import words from '../../static/admin/words.js'
import { withoutComments } from './served/without-comments.ts'

const CSS = 'text/css; charset=utf-8'
const JS = 'text/javascript; charset=utf-8'

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '': ['text/html; charset=utf-8', html],
  'admin.css': [CSS, css],
  'main.js': [JS, entry],
  'advice.js': [JS, advice],
  'alerts/editor.js': [JS, alertEditor],
  'alerts/part.js': [JS, alertsPart],
  'alerts/words.js': [JS, alertWords],
  'api.js': [JS, api],
  'audit/log.js': [JS, auditLog],
  'audit/words.js': [JS, auditWords],
  'change.js': [JS, change],
  'changes.js': [JS, changes],
  'chart.js': [JS, chart],
  'charts.js': [JS, charts],
  'checklist/checklist.css': [CSS, checklistCss],
  'checklist/checks.js': [JS, checklistChecks],
  'checklist/items.js': [JS, checklistItems],
  'checklist/part.js': [JS, checklistPart],
  'danger.js': [JS, danger],
  'decisions.js': [JS, decisions],
  'dom.js': [JS, dom],
  'download.js': [JS, download],
  'events.js': [JS, events],
  'events/calendar.css': [CSS, eventCalendarCss],
  'events/calendar.js': [JS, eventCalendar],
  'events/danger.js': [JS, eventDanger],
  'events/editor.js': [JS, eventEditor],
  'form/boxes.js': [JS, formBoxes],
  'form/fields.js': [JS, formFields],
  'form/kinds.js': [JS, formKinds],
  'form/problems.js': [JS, formProblems],
  'form/schema.js': [JS, formSchema],
  'form/times.js': [JS, formTimes],
  'form/form.css': [CSS, formCss],
  'events/list.js': [JS, eventList],
  'events/words.js': [JS, eventWords],
  'field.js': [JS, field],
  'file.js': [JS, file],
  'forecast.js': [JS, forecast],
  'health-controls.js': [JS, healthControls],
  'health.js': [JS, health],
  'history.css': [CSS, historyCss],
  'history-table.js': [JS, historyTable],
  'history-words.js': [JS, historyWords],
  'history.js': [JS, history],
  'live.js': [JS, live],
  'login.js': [JS, login],
  'operations.css': [CSS, operationsCss],
  'pages.js': [JS, pages],
  'overview.js': [JS, overview],
  'parts.css': [CSS, partsCss],
  'parts.js': [JS, parts],
  'past.js': [JS, past],
  'reports.js': [JS, reports],
  'rehearse.js': [JS, rehearse],
  'rehearse/draw.js': [JS, rehearseDraw],
  'rehearse/form.js': [JS, rehearseForm],
  'rehearse/part.js': [JS, rehearsePart],
  'rehearse/rehearse.css': [CSS, rehearseCss],
  'rehearse/words.js': [JS, rehearseWords],
  'rehearse/worker.js': [JS, rehearseWorker],
  'rights.js': [JS, rights],
  'rooms.js': [JS, rooms],
  'settings/diff.js': [JS, settingsDiff],
  'settings/draft.js': [JS, settingsDraft],
  'settings/fixed.js': [JS, settingsFixed],
  'settings/json.js': [JS, settingsJson],
  'settings/part.js': [JS, settingsPart],
  'settings/review.js': [JS, settingsReview],
  'settings/settings.css': [CSS, settingsCss],
  'show.js': [JS, show],
  'step-up.js': [JS, stepUp],
  'switch.js': [JS, toggle],
  'tokens/part.js': [JS, tokensPart],
  'undo.js': [JS, undo],
  'uplot.css': [CSS, uplotCss],
  'uplot.js': [JS, uplot],
  'visitors/part.js': [JS, visitorsPart],
  'visitors/visitors.css': [CSS, visitorsCss],
  'visitors/words.js': [JS, visitorsWords],
  'words.js': [JS, words],
}

const SECURITY = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
}

/**
 * Returns a file by its name. With `isLoggedIn`, Cloudflare Access has let the person through, and the page needs no
 * token.
 */
export function dashboardFile(name: string, isLoggedIn: boolean): Response | null {
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  if (!file) return null
  const [type, text] = file
  const body = name === '' && isLoggedIn ? text.replace('<html ', '<html data-login="access" ') : text
  const isPage = name === '' || name.startsWith('uplot')
  return new Response(isPage ? body : withoutComments(body), { headers: { 'Content-Type': type, ...SECURITY } })
}
