// @ts-check
// The checklist for a big day: points that the dashboard can check itself, and points that an operator ticks by hand.
// The runbook has the same list. This file neither touches the page nor reads a clock.
import * as checks from './checks.js'

/** @typedef {import('./checks.js').Seen} Seen */
/** @typedef {import('./checks.js').Result} Result */
/**
 * An item without `check` is ticked by hand.
 * @typedef {{ id: string, text: string, check?: (seen: Seen) => Result }} Item
 */

/** @type {readonly { title: string, items: readonly Item[] }[]} */
export const PHASES = [
  {
    title: 'A week before',
    items: [
      { id: 'event', text: 'An event is planned.', check: checks.event },
      { id: 'route', text: 'Visitors reach the room at its address.', check: checks.route },
      { id: 'alerts', text: 'Alerts reach a person.', check: checks.alerts },
      { id: 'limits', text: 'Rate, places and sessions fit together.', check: checks.limits },
      { id: 'keys', text: 'The keys and the list of tokens are kept outside of the deployment.' },
      { id: 'simulated', text: 'The simulator has shown how long people will wait, and what it costs.' },
      { id: 'shadow', text: 'A day in shadow mode has shown what the origin can do.' },
    ],
  },
  {
    title: 'A day before',
    items: [
      { id: 'token', text: 'You use a token of your own.', check: checks.token },
      { id: 'times', text: 'The times of the event are right.', check: checks.times },
      { id: 'message', text: 'The message is there in each language of the room.', check: checks.message },
      { id: 'health', text: 'Origin health is enforced.', check: checks.health },
      { id: 'origin', text: 'The origin answers well.', check: checks.origin },
      { id: 'live', text: 'You know each setting that is set live.', check: checks.live },
      { id: 'pages', text: 'You have looked at the pages in each language.' },
      { id: 'roles', text: 'Each operator has a token with the least role that is enough.' },
    ],
  },
  {
    title: 'An hour before',
    items: [
      { id: 'ready', text: 'Every room has a door that answers.', check: checks.ready },
      { id: 'force', text: 'The room limits visitors.', check: checks.force },
      { id: 'budget', text: 'The budget is right.', check: checks.budget },
      { id: 'clock', text: 'Your clock is right.', check: checks.clock },
      { id: 'hold', text: 'You have held the line for half a minute, and seen the waiting page.' },
      { id: 'second', text: 'A second operator can be reached.' },
    ],
  },
  {
    title: 'During',
    items: [
      { id: 'well', text: 'The origin is well.', check: checks.well },
      { id: 'moves', text: 'The line moves.', check: checks.moves },
      { id: 'current', text: 'The message to the line is up to date.' },
    ],
  },
  {
    title: 'After',
    items: [
      { id: 'back', text: 'All settings are back to the file.', check: checks.back },
      { id: 'let-go', text: 'The line is not held, and there is no budget.', check: checks.letGo },
      { id: 'cleared', text: 'The message of the day is gone.', check: checks.cleared },
      { id: 'over', text: 'No event that is over is left in the list.', check: checks.over },
      { id: 'report', text: 'You have read the report, and written down what to do better.' },
      { id: 'revoked', text: 'Tokens and invitations for the day are revoked.' },
    ],
  },
]
