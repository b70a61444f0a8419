// @ts-check
// The settings that belong to the deployed file. They are shown, and cannot be changed here.
import { list, make } from '../dom.js'
import { short } from '../words.js'

/** @typedef {import('../api.js').Room} Room */

const KEYS = /** @type {const} */ (['name', 'host', 'path', 'additional_routes', 'cookie_suffix', 'cookie_domain'])
const values = make('dl')
values.className = 'fixed-settings'

/** Returns the group of these settings. */
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
