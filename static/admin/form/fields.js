// @ts-check
// A form for a part of the settings, made from their schema. Each field passes its new value to the part that contains
// it.
import { make } from '../dom.js'
import { boxFor } from './boxes.js'
import { bare, isNullable, kindOf, rangeOf, templateOf } from './kinds.js'

/** @typedef {import('./kinds.js').Node} Node */
/**
 * `path` is the path that the API names in a refusal. `label` replaces the name. A field that is not `isRequired` may
 * be left out. `locked` is the reason why it cannot be changed.
 * @typedef {{ path: string, label: string, node: Node, isRequired: boolean, locked?: string,
 *   labels?: Record<string, string>, lock?: (path: string) => string | undefined }} Spec
 */
/** Gets the new value, or undefined if the setting is left out. @typedef {(value: unknown) => void} Set */

let made = 0

/**
 * Returns a field with its label, its purpose and an element for an error.
 * @param {Spec} spec @param {unknown} value @param
 * {Set} set
 */
export function fieldFor(spec, value, set) {
  const kind = kindOf(spec.node)
  if (kind === 'group') return groupFor(spec, value, set)
  if (kind === 'items') return itemsFor(spec, value, set)
  const id = `field-${++made}`
  const label = /** @type {HTMLLabelElement} */ (make('label', spec.label))
  label.htmlFor = id
  const hint = note('hint', `${id}-hint`, hintOf(spec))
  const error = note('field-error', `${id}-error`, '')
  error.hidden = true
  const box = boxFor(spec, value, set)
  box.id = id
  box.setAttribute('aria-describedby', `${hint.id} ${error.id}`)
  box.ariaRequired = spec.isRequired && !isNullable(spec.node) ? 'true' : null
  return wrapped(make(spec.locked === undefined ? 'div' : 'fieldset', label, box, hint, error), spec, `field ${kind}`)
}

/** @param {Element} node @param {Spec} spec @param {string} name */
function wrapped(node, { path, locked }, name) {
  const where = /** @type {HTMLElement} */ (node)
  where.className = name
  where.dataset.path = path
  // `showRights` enables and disables the boxes themselves, so a lock needs an element around them.
  if (where instanceof HTMLFieldSetElement) where.disabled = locked !== undefined
  return where
}

/** @param {string} name @param {string} id @param {string} text */
function note(name, id, text) {
  const node = make('p', text)
  node.className = name
  node.id = id
  return node
}

/** @param {Spec} spec */
function hintOf({ node, locked }) {
  return [(node.description ?? '').replaceAll('`', ''), rangeOf(node), locked ?? '']
    .filter(text => text !== '')
    .join(' · ')
}

/**
 * Returns the fields of an object, one for each of its settings. An object that may be missing has a switch.
 * @param {Spec} spec @param
 * {unknown} value @param {Set} set
 */
function groupFor(spec, value, set) {
  const { properties = {}, required = [] } = bare(spec.node)
  const legend = make('legend', spec.label)
  const parts = wrapped(make('fieldset', legend, ...describe(spec)), spec, 'group')
  const mayMiss = isNullable(spec.node) || (!spec.isRequired && spec.node.default === undefined)
  const inner = make('div')
  inner.className = 'fields'
  /** @param {unknown} given */
  const fill = given => {
    const values = { .../** @type {Record<string, unknown>} */ (given ?? {}) }
    const fields = Object.entries(properties).map(([name, node]) => {
      const path = `${spec.path}.${name}`
      const isRequired = required.includes(name) || node.default !== undefined
      const locked = spec.locked ?? spec.lock?.(path)
      const label = spec.labels?.[name] ?? name
      const part = { ...spec, path, label, node, isRequired, ...(locked === undefined ? {} : { locked }) }
      return fieldFor(part, values[name], one => {
        if (one === undefined) delete values[name]
        else values[name] = one
        set({ ...values })
      })
    })
    inner.replaceChildren(...fields)
  }
  const isThere = value !== null && value !== undefined
  if (!mayMiss) fill(isThere ? value : templateOf(spec.node))
  else {
    if (isThere) fill(value)
    parts.append(
      toggle(spec, isThere, isOn => {
        const template = isOn ? templateOf({ ...bare(spec.node) }) : isNullable(spec.node) ? null : undefined
        if (isOn) fill(template)
        else inner.replaceChildren()
        set(template)
      }),
    )
  }
  parts.append(inner)
  return parts
}

/** @param {Spec} spec @param {boolean} isOn @param {(isOn: boolean) => void} turn */
function toggle({ label }, isOn, turn) {
  const box = /** @type {HTMLInputElement} */ (make('input'))
  box.type = 'checkbox'
  box.checked = isOn
  box.addEventListener('change', () => turn(box.checked))
  const line = make('label', box, `Set ${label}`)
  line.className = 'check'
  return line
}

/** @param {Spec} spec */
function describe(spec) {
  const text = hintOf(spec)
  return [...(text === '' ? [] : [note('hint', `field-${++made}`, text)]), note('field-error', `field-${++made}`, '')]
}

/**
 * Returns a list of objects, with buttons to add and remove objects.
 * @param {Spec} spec @param {unknown} value @param {Set} set
 */
function itemsFor(spec, value, set) {
  const items = /** @type {Node} */ (bare(spec.node).items)
  const values = [.../** @type {unknown[]} */ (value ?? [])]
  const list = make('ol')
  const add = button(`Add to ${spec.label}`, () => {
    values.push(templateOf(items))
    write()
    set([...values])
    const boxes = /** @type {NodeListOf<HTMLElement>} */ (
      list.lastElementChild?.querySelectorAll('input, select, textarea')
    )
    boxes[0]?.focus()
  })
  const write = () => {
    const rows = values.map((one, index) => {
      const path = `${spec.path}[${index}]`
      const label = `${spec.label} ${index + 1}`
      const field = fieldFor({ ...spec, path, label, node: items, isRequired: true }, one, changed => {
        values[index] = changed
        set([...values])
      })
      const remove = button(`Remove ${label}`, () => {
        values.splice(index, 1)
        write()
        set([...values])
        add.focus()
      })
      return make('li', field, ...(spec.locked === undefined ? [remove] : []))
    })
    list.replaceChildren(...rows)
  }
  write()
  add.hidden = spec.locked !== undefined
  return wrapped(make('fieldset', make('legend', spec.label), ...describe(spec), list, add), spec, 'items')
}

/** @param {string} text @param {() => void} press */
export function button(text, press) {
  const node = /** @type {HTMLButtonElement} */ (make('button', text))
  node.type = 'button'
  node.addEventListener('click', press)
  return node
}
