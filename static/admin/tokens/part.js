// @ts-check
// The tokens of operators: their names, roles, ends and last uses. An admin makes them here. Each token is shown only
// once.
import { call, isShutOut, reason } from '../api.js'
import { announce, confirmed, labelled, make, say } from '../dom.js'
import { elementOf } from '../parts.js'
import { reading, serverMs } from '../rooms.js'
import { moment, until } from '../words.js'

/**
 * @typedef {{ from: 'dashboard' | 'secret', id: string, name: string, role: string, endsAtMs: number,
 *   madeBy: string | null, madeAtMs: number | null, lastUsedAtMs: number | null, revokedAtMs: number | null,
 *   revokedBy: string | null }} Token
 */

export const tokensPart = { name: 'tokens', title: 'Tokens', show: showTokens }

const READ_EVERY_MS = 10_000
const ROLES = /** @type {const} */ ([
  ['viewer', 'viewer: reads everything'],
  ['operator', 'operator: also the rate, the hold, the message and events'],
  ['admin', 'admin: everything'],
])

const form = make('form')
const name = Object.assign(/** @type {HTMLInputElement} */ (make('input')), { id: 'token-name', maxLength: 40 })
const role = Object.assign(/** @type {HTMLSelectElement} */ (make('select')), { id: 'token-role' })
const days = Object.assign(/** @type {HTMLInputElement} */ (make('input')), { id: 'token-days', type: 'number' })
const made = make('section')
const secret = Object.assign(/** @type {HTMLInputElement} */ (make('input')), { id: 'token-made', readOnly: true })
const madeText = make('p')
const note = make('p')
const list = make('ul')

let readAtMs = 0
/** The tokens that are shown now, as JSON. */
let listed = ''

function showTokens() {
  const part = elementOf('tokens')
  if (part.children.length === 0) build(part)
  const isAdmin = reading.you?.role === 'admin'
  form.hidden = !isAdmin
  if (!isAdmin) return say(note, `Only an admin reads and makes tokens. ${reading.you?.name} is ${reading.you?.role}.`)
  if (Date.now() - readAtMs < READ_EVERY_MS) return
  readAtMs = Date.now()
  read()
}

/** @param {HTMLElement} part */
function build(part) {
  form.className = 'card filter'
  form.setAttribute('aria-label', 'A new token')
  for (const [value, words] of ROLES) role.append(new Option(words, value))
  Object.assign(days, { min: '1', max: '400', value: '90', inputMode: 'numeric' })
  const button = make('button', 'Make a token')
  button.className = 'primary'
  form.append(labelled('Person or program', name), labelled('Role', role), labelled('Days', days), make('p', button))
  form.addEventListener('submit', event => {
    event.preventDefault()
    makeToken()
  })
  note.setAttribute('role', 'status')
  list.className = 'tokens'
  made.className = 'card made'
  made.hidden = true
  const [copy, done] = [make('button', 'Copy'), make('button', 'I have kept it')]
  copy.addEventListener('click', async () => {
    secret.select()
    await navigator.clipboard?.writeText(secret.value)
    announce('The token is copied.')
  })
  done.addEventListener('click', () => {
    secret.value = ''
    made.hidden = true
    name.focus()
  })
  const label = labelled('The token', secret)
  const actions = make('p', copy, done)
  actions.className = 'actions'
  made.append(madeText, label, actions)
  const hint = make('p', 'Tokens are for all rooms. Those in the secret ADMIN_TOKENS are changed by a deployment.')
  hint.className = 'soft'
  part.append(make('h1', 'Tokens'), hint, form, made, note, list)
}

async function makeToken() {
  const body = JSON.stringify({ name: name.value.trim(), role: role.value, days: Number(days.value) })
  const answer = await call('tokens', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  if (isShutOut(answer)) return
  if (answer?.status !== 200) return fail(answer)
  say(note, '')
  say(madeText, `This is the token of ${answer.body.name}, who is ${answer.body.role}. It is shown only now.`)
  secret.value = answer.body.token
  name.value = ''
  made.hidden = false
  secret.focus()
  secret.select()
  announce(madeText.textContent ?? '')
  await read()
}

/** @param {Token} token */
async function revoke(token) {
  const texts = [`It is refused everywhere within five seconds. ${usedWords(token)}.`]
  const question = { title: `Revoke the token of ${token.name}?`, texts, yes: 'Revoke the token', isDanger: true }
  if (!(await confirmed(question))) return
  const answer = await call(`tokens/${encodeURIComponent(token.id)}`, { method: 'DELETE' })
  if (isShutOut(answer)) return
  if (answer?.status !== 204) return fail(answer)
  say(note, `The token of ${token.name} is revoked.`)
  await read()
  name.focus()
}

/** @param {import('../api.js').Answer | null} answer */
function fail(answer) {
  say(note, reason(answer, 'name'))
}

async function read() {
  const answer = await call('tokens')
  if (answer?.status !== 200) return say(note, 'The tokens could not be read. Trying again by itself.')
  if (note.textContent?.startsWith('The tokens could')) say(note, '')
  // If only a time has changed, a button must not be replaced while it is pressed.
  const now = JSON.stringify(answer.body.tokens)
  if (now !== listed || !list.matches(':focus-within')) list.replaceChildren(...answer.body.tokens.map(rowOf))
  listed = now
}

/** @param {Token} token */
function rowOf(token) {
  const isValid = token.revokedAtMs === null && token.endsAtMs > serverMs()
  const about = [usedWords(token), token.madeBy === null ? 'in the secret' : `made by ${token.madeBy}`]
  const words = [
    make('strong', `${token.name} · ${token.role}`),
    make('span', stateWords(token)),
    make('small', about.join(' · ')),
  ]
  const row = make('li', ...words)
  row.dataset.token = isValid ? 'valid' : 'over'
  if (!isValid || token.from === 'secret') return row
  const button = make('button', 'Revoke')
  button.setAttribute('type', 'button')
  button.ariaLabel = `Revoke the token of ${token.name}, ${token.id.slice(0, 6)}`
  button.addEventListener('click', () => revoke(token))
  row.append(button)
  return row
}

/** @param {Token} token */
function stateWords({ endsAtMs, revokedAtMs, revokedBy }) {
  const nowMs = serverMs()
  if (revokedAtMs !== null) return `Revoked by ${revokedBy}, ${moment(revokedAtMs, nowMs)}`
  return endsAtMs <= nowMs ? `Ended ${moment(endsAtMs, nowMs)}` : `Ends in ${until(endsAtMs - nowMs)}`
}

/** @param {Token} token */
function usedWords({ from, lastUsedAtMs }) {
  if (from === 'secret') return 'Its use is not recorded'
  return lastUsedAtMs === null ? 'Not used yet' : `Last used ${moment(lastUsedAtMs, serverMs())}`
}
