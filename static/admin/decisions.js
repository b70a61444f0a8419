// @ts-check
// The decisions of the room that follow from its origin's health, in sentences, newest first.
import { call, pathOf } from './api.js'
import { $, make } from './dom.js'
import { chosen, serverMs } from './rooms.js'
import { count, moment } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('../../src/core/history/decisions.ts').Decision} Decision */

const READ_EVERY_MS = 5_000
const SHOWN = 12

let readAtMs = 0
let shown = ''

/** Reads the list again after some time, or at once if the room is another one. @param {Room} room */
export async function showDecisions(room) {
  const nowMs = Date.now()
  if (shown === room.name && nowMs - readAtMs < READ_EVERY_MS) return
  shown = room.name
  readAtMs = nowMs
  const answer = await call(`${pathOf(room)}/health?minutes=0`)
  if (answer?.status === 200 && chosen()?.name === room.name) write(answer.body.decisions)
}

/** @param {Decision[]} decisions */
function write(decisions) {
  $('decisions-none').hidden = decisions.length > 0
  const items = decisions.slice(0, SHOWN).map(decision => {
    const time = make('time', moment(decision.atMs, serverMs()))
    time.setAttribute('datetime', new Date(decision.atMs).toISOString())
    return make('li', make('p', sentenceOf(decision)), make('small', time, reasonOf(decision)))
  })
  $('decisions').replaceChildren(...items)
}

/** Returns the decision as a sentence. @param {Pick<Decision, 'did' | 'upstream' | 'enforced'>} decision */
export function sentenceOf({ did, upstream, enforced }) {
  const what = upstream === 'origin' ? 'the origin' : upstream
  const would = enforced ? '' : 'Only noted, in shadow mode: '
  switch (did.kind) {
    case 'ceiling-lowered':
      return `${would}At most ${count(did.to)} people may be there, ${count(did.from)} before.`
    case 'ceiling-rising':
      return `${would}More people are let in again: ${count(did.to)} now, and more little by little.`
    case 'ceiling-lifted':
      return `${would}All places are in use again.`
    case 'breaker-open':
      return `${would}${what} was shut off. It is tried again at ${new Date(did.untilMs).toLocaleTimeString()}.`
    case 'breaker-half-open':
      return `${would}${what} is tried with a few visitors.`
    case 'breaker-closed':
      return `${would}${what} answers again, and all sessions come back little by little.`
    case 'feature-broken':
      return `${did.patterns.join(' and ')} ${did.patterns.length > 1 ? 'fail' : 'fails'}, while the rest of the site is well. No admission is lost for it. You can block it as an upstream.`
  }
}

/** Returns the evidence of a decision as a sentence. @param {Pick<Decision, 'saw'>} decision */
function reasonOf({ saw }) {
  if (!saw) return ''
  const sessions = saw.sessions === null ? '' : `of ${count(saw.sessions)} sessions, `
  const there = saw.there === undefined ? '' : ` (${count(saw.there)} of them there)`
  return ` · ${sessions}${count(100 * saw.failures)} % failed, satisfaction ${saw.apdex.toFixed(2)}, ${count(saw.inside)} inside${there}`
}
