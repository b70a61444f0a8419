// @ts-check
// The box of one value: a number, a choice, a switch, a time, text, lines of text, or JSON.
import { make } from '../dom.js'
import { bare, choicesOf, isNullable, kindOf } from './kinds.js'
import { fromField, toField } from './times.js'

/** @typedef {import('./fields.js').Spec} Spec */
/** @typedef {import('./fields.js').Set} Set */

const LONG = /html|description|message/

/**
 * @param {Spec} spec @param {unknown} value @param {Set} set @returns
 * {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement}
 */
export function boxFor(spec, value, set) {
  const { node, path } = spec
  const none = noneOf(spec)
  switch (kindOf(node)) {
    case 'number':
      return numberBox(spec, value, text => set(text === '' ? none : Number(text)))
    case 'choice':
      return choiceBox(choicesOf(node), value, hasNone(spec), one => set(one ?? none))
    case 'flag':
      if (hasNone(spec)) return choiceBox([true, false], value, true, one => set(one ?? none))
      return flagBox(value === true, set)
    case 'time': {
      const box = inputBox('datetime-local', toField(value))
      box.step = 'any'
      box.addEventListener('input', () => set(box.value === '' ? none : fromField(box.value, value)))
      return box
    }
    case 'lines':
      return textBox(true, linesOf(value), text => set(text.trim() === '' ? none : text.split('\n').flatMap(trimmed)))
    case 'own-text':
      return textBox(true, asText(value), text => set(text === '' ? none : fromJson(text, '{')))
    case 'mixed':
      return textBox(false, asText(value), text => set(text === '' ? none : mixed(text)))
    case 'json':
      return textBox(true, value === undefined ? '' : JSON.stringify(value, null, 1), text =>
        set(text === '' ? none : fromJson(text, '')),
      )
    default:
      return textBox(LONG.test(path), String(value ?? ''), text => set(text === '' ? none : text))
  }
}

/** Returns whether a setting can have no value. @param {Spec} spec */
function hasNone({ node, isRequired }) {
  return isNullable(node) || (!isRequired && node.default === undefined)
}

/** Returns the meaning of an empty box. For a list it is an empty list. @param {Spec} spec */
function noneOf({ node, isRequired }) {
  if (isNullable(node)) return null
  if (!isRequired && node.default === undefined) return undefined
  return kindOf(node) === 'lines' ? [] : ''
}

/** @param {Spec} spec @param {unknown} value @param {(text: string) => void} set */
function numberBox({ node }, value, set) {
  const { minimum, maximum, type } = bare(node)
  const box = inputBox('number', value === null || value === undefined ? '' : String(value))
  box.inputMode = type === 'integer' ? 'numeric' : 'decimal'
  box.min = String(minimum ?? '')
  box.max = String(maximum ?? '')
  box.step = 'any'
  box.addEventListener('input', () => set(box.value))
  return box
}

/**
 * @param {(string | number | boolean)[]} values @param {unknown} value @param {boolean} mayBeNone @param
 * {(value: string | number | boolean | undefined) => void} set
 */
function choiceBox(values, value, mayBeNone, set) {
  const box = /** @type {HTMLSelectElement} */ (make('select'))
  const names = [...(mayBeNone ? ['none'] : []), ...values.map(String)]
  box.append(...names.map(name => make('option', name)))
  box.selectedIndex = Math.max(0, names.indexOf(String(value ?? 'none')))
  box.addEventListener('change', () => set(values[box.selectedIndex - (mayBeNone ? 1 : 0)]))
  return box
}

/** @param {boolean} isOn @param {Set} set */
function flagBox(isOn, set) {
  const box = inputBox('checkbox', '')
  box.checked = isOn
  box.addEventListener('change', () => set(box.checked))
  return box
}

/** @param {boolean} isLong @param {string} text @param {(text: string) => void} set */
function textBox(isLong, text, set) {
  const box = isLong ? /** @type {HTMLTextAreaElement} */ (make('textarea')) : inputBox('text', '')
  box.value = text
  box.spellcheck = false
  if (box instanceof HTMLTextAreaElement) box.rows = Math.min(12, Math.max(2, text.split('\n').length))
  box.addEventListener('input', () => set(box.value))
  return box
}

/** @param {string} type @param {string} value */
function inputBox(type, value) {
  const box = /** @type {HTMLInputElement} */ (make('input'))
  box.type = type
  box.value = value
  box.autocomplete = 'off'
  return box
}

/** @param {unknown} value */
function linesOf(value) {
  return Array.isArray(value) ? value.join('\n') : ''
}

/** @param {string} line */
function trimmed(line) {
  return line.trim() === '' ? [] : [line.trim()]
}

/** @param {unknown} value */
function asText(value) {
  return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 1) : String(value ?? '')
}

/** @param {string} text */
function mixed(text) {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : fromJson(text, '{')
}

/**
 * Returns the value of JSON. If it is invalid, returns the text itself, which the API then refuses.
 * @param {string} text @param {string} start
 */
function fromJson(text, start) {
  if (!text.startsWith(start)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
