/** The waiting page: one self-contained answer, complete without scripts, kept up to date by them. */
import Mustache from 'mustache'
import css from '../../static/waiting.css'
import html from '../../static/waiting.html'
import script from '../../static/waiting.js'
import type { Waiting } from './gate.ts'
import { placeJson } from './place-json.ts'
import type { Visit } from './visit.ts'

/** Style and script are the same for everybody: they are set in once. */
const TEMPLATE = html
  .replace('<!--style-->', () => `<style>${css}</style>`)
  .replace('<!--script-->', () => `<script>${script}</script>`)
Mustache.parse(TEMPLATE)

/** Without scripts the page reloads no more often than this: a reload is a whole page. */
const REFRESH_MIN_SECONDS = 5

export function waitingPage(visit: Visit, waiting: Waiting): string {
  const place = placeJson(waiting, visit.nowMs)
  const { cfWaitingRoom, state, position, held, message, pollAfterSeconds } = place
  const [headline, lead] = wording(state, held)
  const refreshSeconds = Math.max(state === 'called' ? 2 : REFRESH_MIN_SECONDS, Math.ceil(pollAfterSeconds))
  return Mustache.render(TEMPLATE, {
    ...cfWaitingRoom,
    ...place,
    title: position === null ? headline : `${position} in line`,
    headline,
    lead,
    position: position?.toLocaleString('en'),
    waitText: cfWaitingRoom.waitTimeKnown ? cfWaitingRoom.waitTimeFormatted : 'not known yet',
    hint: 'Your place is kept. You may close this page for a moment and come back.',
    message,
    refreshSeconds,
    statusUrl: `${visit.deployment.controlPrefix}/status?room=${encodeURIComponent(waiting.room.name)}&claim=1`,
  })
}

function wording(state: 'called' | 'missed' | 'waiting', held: boolean): [headline: string, lead: string] {
  const kept = 'Nobody is being let in at the moment. Your place is kept.'
  switch (state) {
    case 'called':
      return ['You are next', held ? kept : 'You will be let in as soon as there is a place.']
    case 'missed':
      return ['Your turn has passed', 'You were called and did not come in time, so you have a new place in line.']
    case 'waiting':
      return ['You are in line', held ? kept : 'Keep this page open. You will be let in when it is your turn.']
  }
}
