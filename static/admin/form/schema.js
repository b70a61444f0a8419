// @ts-check
// The schema of the settings, from the API's own description. It is read once, when a form needs it.
import { call } from '../api.js'

/** @typedef {import('./kinds.js').Node} Node */
/** @typedef {{ properties: Record<string, Node>, groups: { title: string, settings: string[] }[] }} Schema */

/** @type {Promise<Schema | null> | null} */
let read = null

/** Returns the schema, or null while the API does not answer. The next call tries again. */
export function readSchema() {
  read ??= fetched().then(schema => {
    if (schema === null) read = null
    return schema
  })
  return read
}

/** @returns {Promise<Schema | null>} */
async function fetched() {
  const answer = await call('openapi.json')
  if (answer?.status !== 200) return null
  const change = answer.body.components.schemas.Change
  return { properties: change.properties, groups: change['x-groups'] }
}
