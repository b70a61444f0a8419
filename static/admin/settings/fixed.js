// @ts-check
// The settings that only the deployed file can set. They are shown here, but cannot be changed.
import { list, make } from '../dom.js'
import { short } from '../words.js'

/** @typedef {import('../api.js').Room} Room */

const KEYS = /** @type {const} */ (['name', 'host', 'path', 'additional_routes', 'cookie_suffix', 'cookie_domain'])
const values = make('dl')
values.className = 'fixed-settings'

/** Returns the element that shows these settings. */
export function fixedSettings() {
  const why = 'These name the room, its addresses and its cookie. To change one, change the file and deploy.'
  const head = make('summary', make('strong', 'From the file'), make('span', KEYS.join(', ')))
  const details = make('details', head, make('p', why), values)
  details.className = 'card'
  return details
}

/** @param {Room} room */
export function showFixed({ settings }) {
  const rows = KEYS.map(key => [key, short(settings[key], 1_000)])
  list(values, rows, () => make('div', make('dt'), make('dd')))
}
