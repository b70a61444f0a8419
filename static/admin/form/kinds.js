// @ts-check
// Chooses the kind of field that a part of the settings' schema needs. This file does not touch the page.
import { count } from '../words.js'

/**
 * The parts of a JSON Schema that a form reads.
 * @typedef {{ type?: string | string[], description?: string, default?: unknown, minimum?: number, maximum?: number,
 *   maxLength?: number, maxItems?: number, format?: string, enum?: (string | number)[], const?: unknown, items?: Node,
 *   properties?: Record<string, Node>, required?: string[], additionalProperties?: unknown, anyOf?: Node[],
 *   oneOf?: Node[] }} Node
 */
/**
 * `own-text` is one text, or one for each language as JSON. `mixed` is a number or something else. A value for which
 * there is no other field is typed as JSON.
 * @typedef {'number' | 'choice' | 'flag' | 'time' | 'text' | 'lines' | 'items' | 'group' | 'own-text' | 'mixed'
 *   | 'json'} Kind
 */

/** @param {Node} node */
export function isNullable(node) {
  return (
    (Array.isArray(node.type) && node.type.includes('null')) || (node.anyOf ?? []).some(({ type }) => type === 'null')
  )
}

/** Returns the schema of a value that is not null. @param {Node} node @returns {Node} */
export function bare(node) {
  if (Array.isArray(node.type)) return { ...node, type: node.type.find(type => type !== 'null') ?? 'string' }
  const forms = (node.anyOf ?? []).filter(({ type }) => type !== 'null')
  return forms.length === 1 ? bare(/** @type {Node} */ (forms[0])) : forms.length === 0 ? node : { anyOf: forms }
}

/** @param {Node} node @returns {Kind} */
export function kindOf(node) {
  const { type, anyOf, items, properties, format, ...more } = bare(node)
  if (more.enum) return 'choice'
  if (type === 'boolean') return more.const === undefined ? 'flag' : 'choice'
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'string') return format === 'date-time' ? 'time' : 'text'
  if (type === 'object' && properties) return 'group'
  if (type === 'array' && items) return listKind(items)
  const types = anyOf?.map(form => form.type) ?? []
  // An own text is either one text, or an object with a text for each language.
  if (types.includes('string') && types.includes('object')) return 'own-text'
  return types.includes('integer') || types.includes('number') ? 'mixed' : 'json'
}

/** @param {Node} items @returns {Kind} */
function listKind(items) {
  const kind = kindOf(items)
  return kind === 'group' ? 'items' : kind === 'text' || kind === 'choice' ? 'lines' : 'json'
}

/**
 * Returns the values between which a field lets the operator choose.
 * @param {Node} node @returns {(string | number | boolean)[]}
 */
export function choicesOf(node) {
  const { enum: values, const: only } = bare(node)
  return values ?? [/** @type {boolean} */ (only)]
}

/** Returns the range of a value in words, or an empty text. @param {Node} node */
export function rangeOf(node) {
  const { minimum, maximum, maxLength, maxItems, type } = bare(node)
  if (minimum !== undefined && maximum !== undefined)
    return `${type === 'integer' ? 'whole, ' : ''}${count(minimum)} to ${count(maximum)}`
  if (maxLength !== undefined) return `up to ${count(maxLength)} characters`
  return maxItems === undefined ? '' : `up to ${count(maxItems)}`
}

/**
 * Returns a first value: the members that an object must have, and its defaults.
 * @param {Node} node @returns {unknown}
 */
export function templateOf(node) {
  if (node.default !== undefined) return structuredClone(node.default)
  if (isNullable(node)) return null
  const { properties, required = [] } = bare(node)
  switch (kindOf(node)) {
    case 'group': {
      const parts = Object.entries(properties ?? {}).filter(
        ([name, part]) => required.includes(name) || 'default' in part,
      )
      return Object.fromEntries(parts.map(([name, part]) => [name, templateOf(part)]))
    }
    case 'lines':
    case 'items':
      return []
    case 'flag':
      return false
    case 'choice':
      return choicesOf(node)[0]
    default:
      return ''
  }
}
