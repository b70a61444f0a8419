// @ts-check
// The settings of a room that an operator has typed and not saved yet. They are kept for each room until then, and no
// news of the room overwrites them.

/** @typedef {import('../api.js').Room} Room */
/**
 * The typed values, and the values that were in force when typing began, as JSON.
 * @typedef {{ values: Record<string, unknown>, base: Record<string, string> }} Draft
 */

/** @type {Map<string, Draft>} */
const drafts = new Map()

/** @param {Pick<Room, 'name'>} room @returns {Draft} */
export function draftOf(room) {
  return drafts.get(room.name) ?? { values: {}, base: {} }
}

/** @param {Room} room @param {string} key @param {unknown} value */
export function typeSetting(room, key, value) {
  const draft = draftOf(room)
  drafts.set(room.name, draft)
  draft.base[key] ??= asJson(inForce(room, key))
  if (asJson(value) === asJson(inForce(room, key))) {
    delete draft.values[key]
    delete draft.base[key]
  } else draft.values[key] = value
  if (Object.keys(draft.values).length === 0) drafts.delete(room.name)
}

/** @param {Pick<Room, 'name'>} room */
export function discardDraft({ name }) {
  drafts.delete(name)
}

/** Returns the typed settings that another operator has changed meanwhile. @param {Room} room @returns {string[]} */
export function overtaken(room) {
  const { values, base } = draftOf(room)
  return Object.keys(values).filter(key => base[key] !== asJson(inForce(room, key)))
}

/**
 * Returns the typed value of a setting, or the value in force if none was typed.
 * @param {Room} room @param {string} key @returns {unknown}
 */
export function typedValue(room, key) {
  const { values } = draftOf(room)
  return Object.hasOwn(values, key) ? values[key] : inForce(room, key)
}

/** @param {Pick<Room, 'settings'>} room @param {string} key @returns {unknown} */
export function inForce({ settings }, key) {
  return Object.hasOwn(settings, key) ? Reflect.get(settings, key) : undefined
}

/** @param {unknown} value */
export function asJson(value) {
  return JSON.stringify(value) ?? 'undefined'
}
