// @ts-check
// "What if": draws the future of the room as it is, and the one with the typed values. Two Web Workers run the real
// decisions on the present state of the room. Nothing is sent, and nothing in the room changes.
import { call, pathOf } from '../api.js'
import { announce, make, say } from '../dom.js'
import { elementOf, hrefOf } from '../parts.js'
import { chosen, chosenQuery } from '../rooms.js'
import { drawBoth, newDrawing } from './draw.js'
import { fillForm, newForm, queryOf, showForm, typedOf } from './form.js'
import { assumptionsOf, futureWords, LEFT_OUT, NOT_DRAWN } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/rehearsal/rehearse.ts').Rehearsal} Rehearsal */
/** @typedef {import('../../../src/rehearsal/rehearse.ts').Question} Question */

const WORKER = new URL('worker.js', import.meta.url)
const MINUTE_MS = 60_000
/** How many minutes of the past are read, to learn when the visitors inside came in. */
const PAST_MINUTES = { least: 60, most: 360, perSession: 3 }

const form = newForm(rehearse)
const status = make('p')
const drawing = newDrawing()
const link = /** @type {HTMLAnchorElement} */ (make('a', 'Link to this rehearsal'))
const assumed = make('ul')
const notes = make('section', make('h2', 'Assumed'), assumed, make('h2', 'Not in the drawing'), listOf(LEFT_OUT))
const results = make('div', drawing, notes, make('p', link))
/** @type {HTMLElement[]} */
const futures = [make('p'), make('p')]
/** The room and the link for which the form is shown. */
let shownFor = ''
/** @type {{ worker: Worker, isBusy: boolean }[]} */
const workers = []
let turn = 0

/** @param {Room} room */
export function show(room) {
  const part = elementOf('rehearse')
  if (part.children.length === 0) build(part)
  showForm(form, room)
  const query = chosenQuery()
  const wanted = `${room.name} ${query}`
  if (wanted === shownFor) return
  shownFor = wanted
  fillForm(form, query)
  results.hidden = true
  say(status, '')
  if (query.size > 0) rehearse()
}

/** @param {HTMLElement} part */
function build(part) {
  const style = /** @type {HTMLLinkElement} */ (make('link'))
  style.rel = 'stylesheet'
  style.href = new URL('rehearse.css', import.meta.url).href
  document.head.append(style)
  const intro = make(
    'p',
    'What if? Type other values, and see the future of this room beside the one it is going to. Nothing is changed.',
  )
  status.setAttribute('role', 'status')
  notes.className = 'rehearse-notes'
  results.className = 'rehearse-results'
  results.hidden = true
  results.prepend(...futures)
  part.append(make('h1', 'Rehearse'), intro, form, status, results)
}

async function rehearse() {
  const room = chosen()
  if (!room) return
  const mine = ++turn
  const query = queryOf(form)
  const href = hrefOf(room, 'rehearse') + (query.size > 0 ? `?${query}` : '')
  history.replaceState(null, '', href)
  shownFor = `${room.name} ${query}`
  link.href = href
  say(status, 'Drawing\u2026')
  const nowMs = Date.parse(room.now)
  const minutes = Math.min(
    PAST_MINUTES.most,
    Math.max(PAST_MINUTES.least, Math.ceil(PAST_MINUTES.perSession * room.settings.session_duration)),
  )
  const from = new Date(nowMs - minutes * MINUTE_MS).toISOString()
  const past = await call(`${pathOf(room)}/history?${new URLSearchParams({ from, step: '1' })}`)
  if (mine !== turn) return
  const typed = typedOf(query, nowMs)
  const question = { room, minutes: past?.status === 200 ? past.body.steps : [], typed }
  const answers = await Promise.all([ask({ ...question, which: 'as-is' }, 0), ask({ ...question, which: 'typed' }, 1)])
  if (mine !== turn) return
  const [asIs, asTyped] = answers
  if (!asIs || !asTyped)
    return say(status, 'The rehearsal broke off. Load the page again, and report it if that does not help.')
  if (asIs.kind === 'none' || asTyped.kind === 'none') {
    results.hidden = true
    return say(status, NOT_DRAWN[asIs.kind === 'none' ? asIs.why : 'passes'])
  }
  results.hidden = false
  say(status, '')
  /** @type {[string, string]} */
  const names = ['As it is', 'As typed']
  const words = [futureWords(names[0], asIs), futureWords(names[1], asTyped)]
  for (const [nth, future] of futures.entries()) say(future, words[nth] ?? '')
  announce(words.join(' '))
  drawBoth({ asIs, typed: asTyped, names })
  assumed.replaceChildren(...assumptionsOf(asTyped, typed, minutes).map(text => make('li', text)))
}

/**
 * Sends a question to a Web Worker. A worker that has answered before is faster; a worker that is still busy is
 * replaced. Returns null if it fails.
 * @param {Question} question @param {number} nth @returns {Promise<Rehearsal | null>}
 */
function ask(question, nth) {
  const before = workers[nth]
  if (before?.isBusy) before.worker.terminate()
  const asked = { worker: before && !before.isBusy ? before.worker : new Worker(WORKER), isBusy: true }
  workers[nth] = asked
  return new Promise(resolve => {
    asked.worker.onmessage = ({ data }) => {
      asked.isBusy = false
      resolve(data)
    }
    asked.worker.onerror = () => resolve(null)
    asked.worker.postMessage(question)
  })
}

/** @param {string[]} texts */
function listOf(texts) {
  return make('ul', ...texts.map(text => make('li', text)))
}
