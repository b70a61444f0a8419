// @ts-check
// The operators' dashboard: reads the room every second and sends changes on top of the version that the operator saw.
// What somebody typed is never overwritten, and nothing is shown as done before the server has said so.

/** @typedef {{ name: string, active: number, permitsOut: number, standing: number, admitted: number, heardMsAgo: number }} Door */
/** @typedef {{ active: number, permitsOut: number, permitsBanked: number, waiting: number, standing: number, totals: Record<string, number>, admittedLastMinute: number, effectiveRatePerMinute: number, burst: number, open: boolean, held: boolean, showRate: number, doors: Door[] }} Figures */
/** @typedef {{ host: string, path: string, mode: string, new_users_per_minute: number, total_active_users: number, message: string, queue_all: boolean, suspended: boolean }} Settings */
/** @typedef {{ name: string, version: string, settings: Settings, sources: Record<string, 'default' | 'file' | 'live'>, figures: Figures }} Room */
/** @typedef {{ version: string, atMs: number, actor: string, patch: Record<string, unknown> | null }} Change */
/** @typedef {{ status: number, body: any, retryAfterSeconds: number }} Answer `body` is empty where a refusal was no JSON */
/** @typedef {{ tone: 'busy' | 'good' | 'warn' | 'bad', text: string, untilMs: number }} Note */

const API = new URL('../api/v1/', location.href)
const TIMEOUT_MS = 8_000
const ALL_ROOMS_EVERY_MS = 10_000
const HISTORY_MS = 120_000
const CHANGES_SHOWN = 10
const MESSAGE_MAX = 1_000
/** A state has a mark as well as a colour. */
const MARKS = {
  open: 'M4 12h14M12 6l6 6-6 6',
  line: 'M5 12h.01M12 12h.01M19 12h.01',
  held: 'M8 5v14M16 5v14',
  suspended: 'M5 5l14 14M5 19 19 5',
  observing: 'M2 12s4-6 10-6 10 6 10 6-4 6-10 6S2 12 2 12M12 12h.01',
}

let token = sessionStorage.getItem('antesala-token') ?? ''
let actor = sessionStorage.getItem('antesala-actor') ?? ''
/** @type {Room[]} */
let rooms = []
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** Of several reads under way only the newest is shown, and none that began before a change was answered. */
let turn = 0
let heardAtMs = 0
let allRoomsAtMs = 0
let failures = 0
let trouble = ''
let isSending = false
let isStateOutOfSight = false
let announcedState = ''
let changesOf = ''
/** @type {Map<string, { atMs: number, inside: number, waiting: number, admitted: number }[]>} */
const pasts = new Map()
/** What was answered to the operator, by room and setting. @type {Map<string, Note>} */
const notes = new Map()

/** @type {(id: string) => HTMLElement} */
const $ = id => /** @type {HTMLElement} */ (document.getElementById(id))
/** @type {(id: string) => HTMLInputElement} */
const input = id => /** @type {HTMLInputElement} */ ($(id))
/** @type {(parent: ParentNode, selector: string) => HTMLElement} */
const within = (parent, selector) => /** @type {HTMLElement} */ (parent.querySelector(selector))
const dialog = /** @type {HTMLDialogElement} */ ($('confirm'))
/** @type {(value: number) => string} */
const count = value => value.toLocaleString('en', { maximumFractionDigits: 1 })
/** For a narrow column: 319K. @type {(value: number) => string} */
const brief = value => (value < 100_000 ? count(value) : value.toLocaleString('en', { notation: 'compact' }))
/** @type {(room: Room) => string} */
const summary = room => `${stateOf(room)[1]} · ${count(room.figures.waiting)} waiting`
/** The address says which, by a fragment that is never an element's id. */
const chosen = () => rooms.find(room => location.hash === `#room/${room.name}`) ?? rooms[0]
/** @type {(room: Room) => string} */
const pathOf = room => `rooms/${encodeURIComponent(room.name)}`

/** Equal text is left alone: a selection and a screen reader's place survive. @param {string | Element} where @param {string} text */
function say(where, text) {
  const node = typeof where === 'string' ? $(where) : where
  if (node.textContent !== text) node.textContent = text
}

/** Read aloud, each text by itself, also when the same is said again. @param {string} text */
function announce(text) {
  const line = make('p', text)
  $('live').append(line)
  setTimeout(() => line.remove(), 10_000)
}

/** @param {string} tag @param {...(Node | string)} children */
function make(tag, ...children) {
  const node = document.createElement(tag)
  node.append(...children)
  return node
}

/** Rows of texts. What is there stays, so that focus does. @param {Element} parent @param {string[][]} rows @param {() => Element} create */
function list(parent, rows, create) {
  while (parent.children.length < rows.length) parent.append(create())
  while (parent.children.length > rows.length) parent.lastElementChild?.remove()
  for (const [row, texts] of rows.entries()) {
    for (const [cell, node] of [...(parent.children[row]?.children ?? [])].entries()) say(node, texts[cell] ?? '')
  }
}

/** @param {number} minutes */
function duration(minutes) {
  if (minutes < 1.5) return 'about a minute'
  if (minutes < 100) return `about ${Math.round(minutes)} min`
  return minutes < 2_880 ? `about ${Math.round(minutes / 60)} h` : `about ${Math.round(minutes / 1_440)} days`
}

/** @param {number} ms */
function ago(ms) {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 100) return `${seconds} s ago`
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`
}

/** Null where no answer came. @param {string} path @param {RequestInit} [init] @returns {Promise<Answer | null>} */
async function call(path, init = {}) {
  try {
    const headers = { Authorization: `Bearer ${token}`, ...init.headers }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(new URL(path, API), { cache: 'no-store', ...init, headers, signal })
    const body = response.ok ? await response.json() : await response.json().catch(() => ({}))
    return { status: response.status, body, retryAfterSeconds: Number(response.headers.get('Retry-After')) || 0 }
  } catch {
    return null
  }
}

/** @param {Answer | null} answer */
function refusal(answer) {
  if (!answer) return 'No answer from the server. Check the connection and try again.'
  if (answer.status === 401) return 'This token is not accepted. It is the secret ADMIN_TOKEN of the deployment.'
  if (answer.status === 403) return 'The admin API is off. Set the secret ADMIN_TOKEN and deploy.'
  if (answer.status === 429) return `Too many failed tries. Try again in ${answer.retryAfterSeconds || 6} s.`
  return `The server answered ${answer.status}. Try again in a moment.`
}

// ---- Logging in and out

/** @param {string} why */
function shut(why) {
  clearTimeout(timer)
  turn++
  token = ''
  sessionStorage.removeItem('antesala-token')
  dialog.close()
  $('app').hidden = true
  $('login').hidden = false
  $('login-note').hidden = why === ''
  say('login-note', why)
  input('actor').value ||= actor
  input(actor ? 'token' : 'actor').focus()
}

$('login-form').addEventListener('submit', async event => {
  event.preventDefault()
  const box = input('token')
  token = box.value.trim()
  // A header field carries plain ASCII: of a name what does not fit is shown as ?, and a token with more is none.
  const name = input('actor').value.normalize('NFKD').replace(/\p{M}/gu, '')
  actor = name.replace(/[^\x20-\x7e]/g, '?').trim()
  const isPossible = /^[\x21-\x7e]{1,512}$/.test(token)
  const answer = isPossible ? await call('rooms') : { status: 401, body: {}, retryAfterSeconds: 0 }
  box.ariaInvalid = String(answer?.status === 401)
  if (answer?.status !== 200) {
    shut(refusal(answer))
    box.focus()
    return box.select()
  }
  sessionStorage.setItem('antesala-token', token)
  sessionStorage.setItem('antesala-actor', actor)
  box.value = ''
  enter()
  hear(answer.body)
})

$('logout').addEventListener('click', () => {
  shut('')
  location.reload() // nothing that was read or typed stays in memory
})

function enter() {
  announcedState = ''
  $('login').hidden = true
  $('app').hidden = false
}

// ---- Reading

async function poll() {
  clearTimeout(timer)
  if (token === '') return
  const mine = ++turn
  const room = chosen()
  const wantsAll = !room || Date.now() - allRoomsAtMs > ALL_ROOMS_EVERY_MS
  const answer = await call(wantsAll ? 'rooms' : pathOf(room))
  if (mine !== turn) return
  if (answer?.status === 200) return hear(answer.body)
  if (answer?.status === 401 || answer?.status === 403) return shut(refusal(answer))
  if (answer?.status === 404) allRoomsAtMs = 0 // the room is gone: look which there are
  failures++
  const what = answer ? `The server answered ${answer.status}` : 'No answer'
  trouble = answer?.status === 429 ? refusal(answer) : `${what}; trying again by itself.`
  if (failures === 3) announce(`The connection is lost. ${trouble}`)
  showConnection()
  pollIn(Math.max(answer?.retryAfterSeconds ?? 0, Math.min(10, 2 ** (failures - 1))))
}

/** @param {number} seconds */
function pollIn(seconds) {
  clearTimeout(timer)
  timer = setTimeout(poll, 1_000 * (document.hidden ? Math.max(15, seconds) : seconds))
}

/** @param {Room | { rooms: Room[] }} body one room, or all of them */
function hear(body) {
  turn++
  if (failures >= 3) announce('The connection is back.')
  failures = 0
  heardAtMs = Date.now()
  if ('rooms' in body) {
    allRoomsAtMs = heardAtMs
    rooms = body.rooms
  } else rooms = rooms.map(room => (room.name === body.name ? body : room))
  for (const { name, figures } of 'rooms' in body ? rooms : [body]) {
    const { active, waiting, admittedLastMinute } = figures
    const past = (pasts.get(name) ?? []).filter(({ atMs }) => heardAtMs - atMs <= HISTORY_MS)
    pasts.set(name, [...past, { atMs: heardAtMs, inside: active, waiting, admitted: admittedLastMinute }])
  }
  trouble = rooms.length === 0 ? 'This deployment has no rooms.' : ''
  show()
  pollIn(1)
}

/** Only when there is something new. @param {Room} room */
async function readChanges(room) {
  const wanted = `${room.name} ${room.version}`
  if (changesOf === wanted) return
  changesOf = wanted
  const answer = await call(`${pathOf(room)}/changes`)
  if (changesOf !== wanted) return
  if (answer?.status === 200) showChanges(answer.body.changes)
  else changesOf = ''
}

// ---- Showing

function show() {
  const room = chosen()
  showConnection()
  showRooms(room)
  $('room').hidden = !room
  if (!room) return
  showState(room)
  showFigures(room)
  showDetails(room)
  for (const control of controls) control(room)
  readChanges(room)
}

function showConnection() {
  const ageMs = Date.now() - heardAtMs
  const isLive = trouble === '' && ageMs < 4_000
  if (heardAtMs > 0) say('updated', isLive ? 'Live' : `Last updated ${ago(ageMs)}.`)
  $('connection').classList.toggle('live', isLive)
  const room = chosen()
  say('aside', trouble || (room && isStateOutOfSight ? summary(room) : ''))
}

/** @param {Pick<Room, 'settings' | 'figures'>} room @returns {[state: keyof typeof MARKS, word: string, text: string]} */
function stateOf({ settings, figures }) {
  const { suspended, mode, queue_all } = settings
  const held = 'Nobody new comes in. Everybody in line keeps the place.'
  if (suspended) return ['suspended', 'Suspended', 'Everybody goes straight to the site, without any limit.']
  if (mode === 'observe')
    return ['observing', 'Observing', 'Everybody goes in. The figures show what the room would do.']
  if (queue_all) return ['held', 'Held', held]
  if (figures.held) return ['held', 'Held', `The rate is 0. ${held}`]
  if (figures.open) return ['open', 'Open', 'Visitors walk straight in. Nobody has to wait.']
  if (isFull({ settings, figures }))
    return ['line', 'Full', 'Every place is taken. One visitor comes in for each who leaves.']
  return ['line', 'A line', `Visitors come in by turn, up to ${count(figures.effectiveRatePerMinute)} a minute.`]
}

/** @param {Pick<Room, 'settings' | 'figures'>} room */
function isFull({ settings, figures }) {
  return figures.active + figures.permitsOut >= settings.total_active_users
}

/** How long until everybody now in line is in, when so many come in; who does not show up takes no turn. @param {Figures} figures @param {number} perMinute */
function lineTakes({ waiting, showRate }, perMinute) {
  return perMinute > 0 ? duration((waiting * showRate) / perMinute) : null
}

/** @param {Room | undefined} current */
function showRooms(current) {
  const parent = $('rooms')
  parent.hidden = rooms.length < 2
  list(
    parent,
    rooms.map(room => [room.name, summary(room)]),
    () => make('a', make('strong'), make('span')),
  )
  for (const [index, room] of rooms.entries()) {
    const link = /** @type {HTMLAnchorElement} */ (parent.children[index])
    link.href = `#room/${room.name}`
    link.dataset.state = stateOf(room)[0]
    link.ariaCurrent = room === current ? 'page' : null
  }
}

/** @param {Room} room */
function showState(room) {
  const { name, settings } = room
  const [state, word, text] = stateOf(room)
  document.title = `${summary(room)} · ${name}`
  say('room-name', name)
  say('room-route', settings.host === '*' ? `every host, ${settings.path}` : settings.host + settings.path)
  $('app').dataset.state = state
  $('state-mark').setAttribute('d', MARKS[state])
  say('state-word', word)
  say('state-text', text)
  if (announcedState !== '' && announcedState !== name + word) announce(`${name}: ${word}. ${text}`)
  announcedState = name + word
}

/** @param {Room} room */
function showFigures({ name, version, settings, figures }) {
  const { active, waiting, admittedLastMinute, effectiveRatePerMinute: rate } = figures
  const { total_active_users: total, new_users_per_minute: set } = settings
  const percent = Math.min(100, Math.round((100 * active) / total))
  const takes = lineTakes(figures, rate > 0 ? admittedLastMinute : 0)
  say('inside', count(active))
  say('inside-of', `of ${count(total)} places`)
  $('inside-bar').style.width = `${percent}%`
  say('waiting', count(waiting))
  say('waiting-of', waiting === 0 ? 'no line' : takes ? `${takes} long` : 'not moving')
  say('admitted', count(admittedLastMinute))
  say('admitted-of', rate > 0 ? `at a rate of ${count(rate)}` : 'the rate is 0 now')
  say('version', version)
  say('standing', count(figures.standing))
  say('permits-out', count(figures.permitsOut))
  say('effective', `${count(rate)} a minute${rate < set ? `, ${count(set)} set` : ''}`)
  say('admitted-total', count(figures.totals.admitted ?? 0))
  showPast(name, 'inside', total)
  showPast(name, 'waiting', 0)
  showPast(name, 'admitted', rate)
}

/** Two minutes as a curve, newest at the right, with a line for the limit. @param {string} name @param {'inside' | 'waiting' | 'admitted'} figure @param {number} limit */
function showPast(name, figure, limit) {
  const samples = pasts.get(name) ?? []
  const [oldest] = samples
  if (!oldest) return
  const top = 1.1 * Math.max(limit, 1, ...samples.map(sample => sample[figure]))
  /** @type {(value: number) => string} */
  const y = value => (40 - (40 * value) / top).toFixed(2)
  /** @type {(atMs: number) => string} */
  const x = atMs => (120 - (120 * (heardAtMs - atMs)) / HISTORY_MS).toFixed(2)
  const curve = `M${samples.map(sample => `${x(sample.atMs)} ${y(sample[figure])}`).join('L')}`
  const chart = $(`${figure}-past`)
  within(chart, '.curve').setAttribute('d', curve)
  within(chart, '.area').setAttribute('d', `${curve}V40H${x(oldest.atMs)}Z`)
  within(chart, '.limit').setAttribute('d', limit > 0 ? `M0 ${y(limit)}H120` : '')
  const agoMs = heardAtMs - oldest.atMs
  say(`${figure}-then`, agoMs < 5_000 ? 'from now on' : `${ago(agoMs)}: ${count(oldest[figure])}`)
}

/** @param {Room} room */
function showDetails({ figures }) {
  const doors = [...figures.doors].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  const rows = doors.map(({ name, active, permitsOut, standing, admitted, heardMsAgo }) => {
    return [name, ...[active, permitsOut, standing, admitted].map(brief), ago(heardMsAgo).replace(' ago', '')]
  })
  const head = /** @type {HTMLTableCellElement} */ (make('th'))
  head.scope = 'row'
  list($('doors'), rows, () => make('tr', head.cloneNode(), ...Array.from({ length: 5 }, () => make('td'))))
  $('doors-none').hidden = rows.length > 0
  $('doors-table').hidden = rows.length === 0
  const counters = [
    ...Object.entries(figures.totals).map(([name, total]) => [name.replaceAll('_', ' '), count(total)]),
    ['permits in the bank', count(figures.permitsBanked)],
    ['burst', count(figures.burst)],
    ['called visitors who show up', `${Math.round(100 * figures.showRate)} %`],
  ]
  list($('counters'), counters, () => make('div', make('dt'), make('dd')))
}

/** @param {Change[]} changes newest first */
function showChanges(changes) {
  $('changes-none').hidden = changes.length > 0
  const items = changes.slice(0, CHANGES_SHOWN).map(({ version, atMs, actor: who, patch }) => {
    const at = new Date(atMs)
    const isToday = at.toDateString() === new Date().toDateString()
    const time = make('time', isToday ? at.toLocaleTimeString() : at.toLocaleString())
    time.setAttribute('datetime', at.toISOString())
    const lines = patch ? Object.entries(patch).map(([key, value]) => `${key} → ${short(value)}`) : ['back to the file']
    return make('li', ...lines.map(line => make('p', line)), make('small', time, ` · ${who} · version ${version}`))
  })
  $('changes').replaceChildren(...items)
}

/** @param {unknown} value */
function short(value) {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  const text = typeof value === 'number' ? count(value) : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

// ---- Changing

/** Each shows one setting of a room, and lets it be changed. @type {((room: Room) => void)[]} */
const controls = []

/** @param {Room} room @param {string} key @param {Note['tone']} tone @param {string} text */
function note(room, key, tone, text) {
  const untilMs = tone === 'good' ? Date.now() + 20_000 : Number.POSITIVE_INFINITY
  notes.set(`${room.name} ${key}`, { tone, text, untilMs })
  if (tone !== 'busy') announce(text)
  show()
}

/** Answers whether it says that something is wrong. @param {ParentNode} parent @param {Room} room @param {string} key */
function showNote(parent, room, key) {
  const found = notes.get(`${room.name} ${key}`)
  const isNoted = found !== undefined && Date.now() < found.untilMs
  const where = within(parent, '.note')
  where.className = `note ${found?.tone ?? ''}`
  where.hidden = !isNoted
  say(where, isNoted ? found.text : '')
  return isNoted && found.tone === 'bad'
}

/** @param {ParentNode} parent @param {Room} room @param {string} key */
function showSource(parent, room, key) {
  const source = room.sources[key] ?? 'default'
  const badge = within(parent, '.source')
  badge.className = `source ${source}`
  say(badge, `${key}, ${{ live: 'set live', file: 'from the file', default: 'default' }[source]}`)
}

/** @param {string} title @param {string} text @param {string} yes @returns {Promise<boolean>} */
function confirmed(title, text, yes) {
  say('confirm-title', title)
  say('confirm-text', text)
  say('confirm-yes', yes)
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
$('confirm-yes').addEventListener('click', () => dialog.close('yes'))
$('confirm-no').addEventListener('click', () => dialog.close('no'))

/**
 * One change: `patch` on top of `version`, null for back to the file. `advice` helps when somebody else was faster; then, and
 * when the change was made, `settle` gets the room as it is now.
 * @typedef {{ key: string, version: string, patch: object | null, advice: string, settle?: (now: Room) => void }} Wanted
 * @param {Room} room @param {Wanted} wanted
 */
async function change(room, { key, version, patch, advice, settle }) {
  if (isSending) return note(room, key, 'warn', 'The change before is still on its way. Try again in a moment.')
  isSending = true
  note(room, key, 'busy', 'Sending…')
  const identity = { 'If-Match': `"${version}"`, 'Waiting-Room-Actor': actor || 'admin' }
  const headers = { ...identity, 'Content-Type': 'application/json' }
  const answer = patch
    ? await call(pathOf(room), { method: 'PATCH', headers, body: JSON.stringify(patch) })
    : await call(`${pathOf(room)}/overrides`, { method: 'DELETE', headers: identity })
  const now = answer?.status === 412 ? await call(pathOf(room)) : answer
  isSending = false
  notes.delete(`${room.name} ${key}`)
  if (answer?.status === 401 || answer?.status === 403) return shut(refusal(answer))
  if (now?.status === 200) {
    settle?.(now.body)
    hear(now.body)
  }
  const isOutdated = answer?.status === 412
  if (answer?.status === 200) note(room, key, 'good', 'Done. In force everywhere within two seconds.')
  else if (isOutdated) note(room, key, 'warn', `Somebody else changed this room, so nothing was applied. ${advice}`)
  else note(room, key, 'bad', reason(answer, key))
}

/** Why a change was not made. @param {Answer | null} answer @param {string} key */
function reason(answer, key) {
  if (!answer) return 'No answer came, so this may or may not be in force. Look at the figures, then try again.'
  /** @type {{ path: string, message: string }[]} */
  const problems = answer.body.problems ?? []
  if (problems.length === 0)
    return `${answer.body.title ?? `The server answered ${answer.status}`}. Nothing was changed.`
  problems.sort((a, b) => Number(b.path === key) - Number(a.path === key))
  return problems.map(({ path, message }) => `${path} ${message}.`).join(' ')
}

/** What a field says about the value typed. @type {Record<string, (typed: string, room: Room) => string>} */
const HINTS = {
  new_users_per_minute(typed, room) {
    const { waiting } = room.figures
    const takes = lineTakes(room.figures, Number(typed))
    if (takes === null) return typed === '0' ? 'Zero holds the line.' : 'How many may come in each minute.'
    if (isFull(room)) return 'Every place is taken: people come in as others leave, whatever the rate.'
    return waiting === 0 ? 'Nobody is waiting.' : `At this rate the ${count(waiting)} waiting are in within ${takes}.`
  },
  total_active_users: (_, { figures }) => `${count(figures.active)} are inside. A lower number sends nobody away.`,
  message(typed) {
    const over = typed.length - MESSAGE_MAX
    const length = `${count(typed.length)} of ${count(MESSAGE_MAX)} characters`
    return over > 0 ? `${length}: ${count(over)} too many.` : `${length}. Empty shows none.`
  },
}

/** Keeps a draft per room: what was in force when the operator began to type, and at which version. @param {HTMLFormElement} form */
function field(form) {
  const key = /** @type {'new_users_per_minute' | 'total_active_users' | 'message'} */ (form.dataset.setting)
  const box = /** @type {HTMLInputElement} */ (form.querySelector('input, textarea'))
  const [apply, discard] = [within(form, '[type=submit]'), within(form, '[type=reset]')]
  /** @type {Map<string, { seen: string, typed: string, version: string }>} */
  const drafts = new Map()
  /** @type {(room: Room) => string} */
  const inForce = room => String(room.settings[key]).replaceAll('\r\n', '\n')
  /** @param {Room} room */
  const draftOf = room => {
    const draft = drafts.get(room.name) ?? { seen: inForce(room), typed: inForce(room), version: room.version }
    drafts.set(room.name, draft)
    return draft
  }
  /** @param {string | null} typed null: what is in force */
  const type = typed => {
    const room = chosen()
    if (!room) return
    if (typed === null) drafts.delete(room.name)
    else draftOf(room).typed = typed
    notes.delete(`${room.name} ${key}`)
    show()
  }

  box.addEventListener('input', () => type(box.value))
  form.addEventListener('reset', event => {
    event.preventDefault()
    type(null)
    box.focus()
  })
  form.addEventListener('click', ({ target }) => {
    const by = target instanceof HTMLElement ? target.dataset.to : undefined
    if (by !== undefined) type(by)
  })
  form.addEventListener('submit', async event => {
    event.preventDefault()
    const room = chosen()
    const draft = room && draftOf(room)
    if (!room || !draft || draft.typed === draft.seen) return
    const value = box.type === 'number' && draft.typed !== '' ? Number(draft.typed) : draft.typed
    draft.typed = String(value)
    const advice = 'What you typed is kept: look again, then apply it.'
    const settle = (/** @type {Room} */ now) => {
      draft.seen = inForce(now)
      draft.version = now.version
    }
    await change(room, { key, version: draft.version, patch: { [key]: value }, advice, settle })
  })
  controls.push(room => {
    const draft = draftOf(room)
    if (draft.typed === draft.seen) draft.typed = draft.seen = inForce(room)
    // Somebody else's change of another setting is no reason to refuse this one.
    if (draft.seen === inForce(room)) draft.version = room.version
    const isChanged = draft.typed !== draft.seen
    if (box.value !== draft.typed) box.value = draft.typed
    box.ariaInvalid = String(showNote(form, room, key))
    apply.ariaDisabled = String(!isChanged)
    discard.hidden = !isChanged
    const now = isChanged ? ` In force: ${short(room.settings[key])}` : ''
    say(within(form, '.hint'), (HINTS[key]?.(draft.typed, room) ?? '') + now)
    showSource(form, room, key)
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('.step'))) {
      const from = draft.typed === '' ? Number(draft.seen) : Number(draft.typed)
      const to = step(from, Number(button.dataset.direction), box)
      button.dataset.to = String(to)
      say(button, `${button.dataset.direction === '1' ? '+' : '−'} ${count(Math.abs(to - from))}`)
      button.ariaLabel = `${button.textContent}, to ${count(to)}`
    }
  })
}

/** About a tenth of the value, as 1, 2 or 5 times a power of ten, to a round number. @param {number} from @param {number} direction @param {HTMLInputElement} box */
function step(from, direction, box) {
  const tenth = Math.max(1, from / 10)
  const power = 10 ** Math.floor(Math.log10(tenth))
  const size = power * (tenth >= 5 * power ? 5 : tenth >= 2 * power ? 2 : 1)
  const to = direction > 0 ? size * (Math.floor(from / size) + 1) : size * (Math.ceil(from / size) - 1)
  return Math.min(Number(box.max), Math.max(Number(box.min), to))
}

/** What is asked before a switch goes on. It goes off without a question. @type {Record<string, (room: Room) => [title: string, text: string, yes: string]>} */
const QUESTIONS = {
  queue_all: ({ name, figures }) => [
    'Hold the line?',
    `Nobody new comes into ${name}. The ${count(figures.active)} inside stay, and everybody in line keeps the place. One press lets the line go on.`,
    'Hold the line',
  ],
  suspended: ({ name, figures }) => [
    `Suspend ${name}?`,
    `Everybody goes straight to the site, without any limit. That includes the ${count(figures.waiting)} waiting now.`,
    'Suspend the room',
  ],
}

/** @param {HTMLElement} card */
function flag(card) {
  const key = /** @type {'queue_all' | 'suspended'} */ (card.dataset.switch)
  const button = within(card, '[role=switch]')
  button.addEventListener('click', async () => {
    const room = chosen()
    if (!room) return
    const { version, settings } = room
    const question = settings[key] ? undefined : QUESTIONS[key]?.(room)
    if (question && !(await confirmed(...question))) return
    await change(room, { key, version, patch: { [key]: !settings[key] }, advice: 'Look again, then switch.' })
  })
  controls.push(room => {
    const isOn = room.settings[key]
    button.ariaChecked = String(isOn)
    say(within(button, '.word'), isOn ? 'On' : 'Off')
    showSource(card, room, key)
    showNote(card, room, key)
  })
}

/** @type {(room: Room) => string[]} */
const setLive = room => Object.keys(room.sources).filter(key => room.sources[key] === 'live')

$('back-to-file').addEventListener('click', async () => {
  const room = chosen()
  const live = room ? setLive(room).join(', ') : ''
  if (!room || live === '') return
  const text = `The deployed file is in force again. What was set live is undone: ${live}.`
  if (!(await confirmed(`Take ${room.name} back to the file?`, text, 'Back to the file'))) return
  const advice = 'Look again, then go back to the file.'
  await change(room, { key: 'overrides', version: room.version, patch: null, advice })
})
controls.push(room => {
  const live = setLive(room).join(', ')
  $('back-to-file').ariaDisabled = String(live === '')
  say('overrides-text', live === '' ? 'Nothing is set live: the deployed file is in force.' : `Set live: ${live}.`)
  showNote($('overrides'), room, 'overrides')
})

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll('[data-setting]'))) field(form)
for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-switch]'))) flag(card)
const onScroll = new IntersectionObserver(
  ([entry]) => {
    isStateOutOfSight = entry?.isIntersecting === false
    showConnection()
  },
  { rootMargin: '-60px 0px 0px' }, // what is under the header is out of sight
)
onScroll.observe($('state'))
addEventListener('hashchange', () => {
  show()
  poll()
})
addEventListener('online', poll)
document.addEventListener('visibilitychange', () => document.hidden || poll())
setInterval(showConnection, 1_000)
if (token === '') shut('')
else {
  enter()
  poll()
}
