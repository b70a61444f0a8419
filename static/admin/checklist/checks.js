// @ts-check
// The checks of the checklist. The result of each is good, bad, or something that the operator must look at.
import { localTime } from '../events/words.js'
import { count, short, until } from '../words.js'

/** @typedef {import('../api.js').Room} Room */
/** `look` means that only a person can judge it. @typedef {{ state: 'good' | 'bad' | 'look', why: string }} Result */
/**
 * The data for the checks. `readyProblems` is null until readiness is known. `aheadMs` is the server's clock minus that
 * of this machine.
 * @typedef {{ room: Room, nowMs: number, aheadMs: number, you: { name: string } | null,
 *   readyProblems: string[] | null }} Seen
 */

const CLOCK_MS = 2_000
const PREQUEUE_MS = 900_000

/** @type {(why: string) => Result} */
const good = why => ({ state: 'good', why })
/** @type {(why: string) => Result} */
const bad = why => ({ state: 'bad', why })
/** @type {(why: string) => Result} */
const look = why => ({ state: 'look', why })

/** Returns the current event, or else the next one. @param {Room} room */
export function nextEvent({ events }) {
  return events.find(({ state }) => state !== 'over' && state !== 'suspended')
}

/** @param {Seen} seen */
export function event({ room, nowMs }) {
  const next = nextEvent(room)
  if (!next) return bad('No event is to come. Make one, or set the limits by hand on the day.')
  const startsInMs = Date.parse(next.startsAt) - nowMs
  return good(startsInMs > 0 ? `${next.name} starts in ${until(startsInMs)}.` : `${next.name} is on.`)
}

/** @param {Seen} seen */
export function route({ room: { settings, figures } }) {
  const { totals } = figures
  const came = (totals.minted ?? 0) + (totals.walked_in ?? 0)
  if (came > 0) return good(`${count(came)} visitors have come since the room began.`)
  const address = settings.host.includes('*') ? 'a page of the room' : `https://${settings.host}${settings.path}`
  return look(`No visitor has come yet. Open ${address} in a private window.`)
}

/** @param {Seen} seen */
export function alerts({ room }) {
  const rules = room.settings.alerts
  if (rules.length === 0) return bad('There is no rule.')
  return look(`${count(rules.length)} ${rules.length === 1 ? 'rule' : 'rules'}. Send a test in the part Alerts.`)
}

/** @param {Seen} seen */
export function limits({ room }) {
  const { settings } = room
  const own = settings.events.find(({ name }) => name === nextEvent(room)?.name)
  const rate = own?.new_users_per_minute ?? settings.new_users_per_minute
  const places = own?.total_active_users ?? settings.total_active_users
  const minutes = own?.session_duration ?? settings.session_duration
  const inside = Math.round(rate * minutes)
  const figures = `At ${count(rate)} a minute and sessions of ${count(minutes)} min about ${count(inside)} are inside, of ${count(places)} places`
  if (rate === 0) return bad('At a rate of 0 no one is let in.')
  if (inside < places / 10) return bad(`${figures}: most places stay empty.`)
  return good(inside > places ? `${figures}: the places limit admissions more than the rate.` : `${figures}.`)
}

/** @param {Seen} seen */
export function token({ you }) {
  if (!you) return look('Your name is not known yet.')
  return you.name === 'ADMIN_TOKEN'
    ? bad('You use ADMIN_TOKEN, which is for emergencies.')
    : good(`You are ${you.name}.`)
}

/** @param {Seen} seen */
export function times({ room }) {
  const next = nextEvent(room)
  if (!next) return bad('No event is to come.')
  const { prequeueAt, startsAt, endsAt } = next
  const words = `It starts ${localTime(startsAt)} and ends ${localTime(endsAt)}.`
  if (prequeueAt === null) return look(`${words} Visitors who come earlier are let in at once.`)
  const beforeMs = Date.parse(startsAt) - Date.parse(prequeueAt)
  const wait = `Newcomers wait from ${until(beforeMs)} before.`
  return beforeMs < PREQUEUE_MS ? look(`${words} ${wait} Many come earlier than that.`) : good(`${words} ${wait}`)
}

/** @param {Seen} seen */
export function message({ room }) {
  const { settings } = room
  const own = settings.events.find(({ name }) => name === nextEvent(room)?.name)?.message
  const text = own ?? settings.message
  if (text === '') return look('There is no message.')
  if (typeof text === 'string')
    return settings.languages.length === 1
      ? good(`It is one text: ${short(text)}`)
      : look(`It is one text for visitors of all languages: ${short(text)}`)
  const missing = settings.languages.filter(tag => !Object.hasOwn(text, tag))
  if (missing.length > 0) return bad(`It is missing in ${missing.join(', ')}.`)
  return good(`It is there in ${Object.keys(text).join(', ')}.`)
}

/** @param {Seen} seen */
export function health({ room }) {
  const { mode } = room.settings.health
  return mode === 'enforce' ? good('It lowers admissions by itself.') : bad(`Its mode is ${mode}: it lowers nothing.`)
}

/** @param {Seen} seen */
export function origin({ room }) {
  const site = room.figures.health.upstreams.find(({ name }) => name === 'origin')
  if (!site || site.samples === 0) {
    const probe = room.settings.health.probe === null ? ' health.probe is not set.' : ''
    return look(`It gave no answer in the last minute, because no visitor asked it.${probe}`)
  }
  const words = `${count(site.samples)} answers in the last minute, half of them within ${count(site.p50Ms ?? 0)} ms, ${count(100 * (site.failures ?? 0))} % failures.`
  const isWell =
    site.breaker === 'closed' && (site.failures ?? 0) < 0.01 && (site.apdex ?? 1) >= room.settings.health.apdex_target
  return isWell ? good(words) : bad(words)
}

/** @param {Room} room */
function setLive({ sources }) {
  return Object.keys(sources).filter(key => sources[key] === 'live')
}

/** @param {Seen} seen */
export function live({ room }) {
  const keys = setLive(room)
  return keys.length === 0 ? good('Nothing is set live: the file is in force.') : look(`Set live: ${keys.join(', ')}.`)
}

/** @param {Seen} seen */
export function ready({ readyProblems }) {
  if (readyProblems === null) return look('The edge has not answered yet.')
  return readyProblems.length === 0 ? good('This edge is ready.') : bad(`${readyProblems.join('. ')}.`)
}

/** @param {Seen} seen */
export function force({ room: { settings } }) {
  const why = [
    ...(settings.suspended ? ['it is suspended'] : []),
    ...(settings.mode === 'observe' ? ['it only observes'] : []),
    ...(settings.queueing_method === 'passthrough' ? ['every visitor passes through'] : []),
  ]
  return why.length === 0 ? good('Rate and places are in force.') : bad(`It does not: ${why.join(', ')}.`)
}

/** @param {Seen} seen */
export function budget({ room: { figures } }) {
  const { remaining } = figures
  if (remaining === null) return good('There is none: as many as come are let in.')
  return remaining === 0 ? bad('Nothing is left.') : look(`${count(remaining)} are left.`)
}

/** @param {Seen} seen */
export function clock({ aheadMs }) {
  const off = `Your clock is ${until(Math.abs(aheadMs))} ${aheadMs > 0 ? 'behind' : 'ahead'}. Countdowns here follow the server.`
  return Math.abs(aheadMs) > CLOCK_MS ? look(off) : good('It is less than two seconds off.')
}

/** @param {Seen} seen */
export function well({ room }) {
  const { state } = room.figures.health
  return state === 'well'
    ? good('No admission is held back for it.')
    : bad(`It is ${state}. The part Now has the reason.`)
}

/** @param {Seen} seen */
export function moves({ room: { figures } }) {
  if (figures.waiting === 0) return good('No one is waiting.')
  if (figures.forecast.kind === 'moves')
    return good(`${count(figures.admittedLastMinute)} came in during the last minute.`)
  return bad(`It stands still, and ${count(figures.waiting)} wait. The part Now has the reason.`)
}

/** @param {Seen} seen */
export function back({ room }) {
  const keys = setLive(room)
  return keys.length === 0 ? good('The file is in force.') : bad(`Still set live: ${keys.join(', ')}.`)
}

/** @param {Seen} seen */
export function letGo({ room: { settings } }) {
  if (settings.queue_all) return bad('The line is held.')
  return settings.remaining === null ? good('Visitors come in.') : bad(`The budget is ${count(settings.remaining)}.`)
}

/** @param {Seen} seen */
export function cleared({ room: { settings } }) {
  return settings.message === '' ? good('There is no message.') : look(`It is ${short(settings.message)}.`)
}

/** @param {Seen} seen */
export function over({ room }) {
  const names = room.events.filter(({ state }) => state === 'over').map(({ name }) => name)
  return names.length === 0
    ? good('There is none.')
    : bad(`Over: ${names.join(', ')}. Remove each, or copy it for the next time.`)
}
