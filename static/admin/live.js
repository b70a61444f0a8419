// @ts-check
// The WebSocket of the page. The room hints at news by it, so the page need not read the room every second.
import { API, operator } from './api.js'

const PROTOCOL = 'antesala.live'
/** The platform answers a ping without the room. */
const PING_EVERY_MS = 5_000
const PONG_WITHIN_MS = 8_000
/** A socket that cannot be opened, for example because of a proxy, is tried at most this seldom. */
const RETRY_SECONDS_MAX = 300
/** The room closes a socket with this code when its time is up. The next one may be opened at once. */
const TIME_IS_UP = 4_000

/** @type {{ room: string, socket: WebSocket, isOpen: boolean, seenAtMs: number } | null} */
let current = null
let failures = 0
let retryAtMs = 0
/** @type {(isNews: boolean) => void} */
let listener = () => {}

/** Calls the listener with true for a hint, and with false when the socket has been lost. */
export function onHint(/** @type {(isNews: boolean) => void} */ hinted) {
  listener = hinted
}

/** Returns whether hints of this room arrive. @param {string | undefined} room */
export function isFollowing(room) {
  return current !== null && current.room === room && current.isOpen
}

/** Opens the socket of a room while the page is shown, and closes any other. @param {string | undefined} room */
export function follow(room) {
  const wanted = document.hidden || !operator.isIn ? undefined : room
  if (current && current.room !== wanted) drop(current.socket)
  if (current || wanted === undefined || Date.now() < retryAtMs) return
  open(wanted)
}

/** @param {string} room */
function open(room) {
  const url = new URL(`rooms/${encodeURIComponent(room)}/live`, API)
  const token = operator.token === '' ? [] : [`antesala.token.${inBase64(operator.token)}`]
  const socket = new WebSocket(url.href.replace(/^http/, 'ws'), [PROTOCOL, ...token])
  const mine = { room, socket, isOpen: false, seenAtMs: Date.now() }
  current = mine
  socket.addEventListener('open', () => {
    mine.isOpen = true
    mine.seenAtMs = Date.now()
    failures = 0
  })
  socket.addEventListener('message', ({ data }) => {
    mine.seenAtMs = Date.now()
    if (mine === current && data !== 'pong') listener(true)
  })
  socket.addEventListener('close', ({ code }) => {
    if (mine === current) lose(code)
  })
}

/** @param {number} code */
function lose(code) {
  current = null
  if (code === TIME_IS_UP) retryAtMs = 0
  else retryAtMs = Date.now() + 1_000 * Math.min(RETRY_SECONDS_MAX, 2 ** failures++)
  listener(false)
}

/** @param {WebSocket} socket */
function drop(socket) {
  current = null
  socket.close()
}

/** A token is plain ASCII. A subprotocol has fewer characters. @param {string} token */
function inBase64(token) {
  return btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

// A connection that is cut off without a word shows itself by the pong that does not come.
setInterval(() => {
  if (!current?.isOpen) return
  const { socket, seenAtMs } = current
  if (Date.now() - seenAtMs <= PONG_WITHIN_MS) return socket.send('ping')
  drop(socket)
  lose(0)
}, PING_EVERY_MS)
document.addEventListener('visibilitychange', () => {
  if (document.hidden && current) drop(current.socket)
})
