// @ts-check
// The admin API as this page uses it: the operator's token, calls with a time limit, and refusals in words.

/** @typedef {import('../../src/core/protocol/calls.ts').RoomStats} Figures */
/** @typedef {import('../../src/core/protocol/calls.ts').Change} Change newest first in lists */
/** @typedef {import('../../src/settings/schema.ts').RoomConfig} Settings */
/** @typedef {import('../../src/settings/schema.ts').RuntimeSetting} Setting one that can be changed live */
/** @typedef {Record<string, 'default' | 'file' | 'live'>} Sources */
/** @typedef {ReturnType<typeof import('../../src/admin/events.ts').eventsOf>[number]} ScheduledEvent */
/**
 * `file`: the settings as deployed. `now`: the room's clock.
 * @typedef {{ name: string, version: string, settings: Settings, file: Settings, sources: Sources, figures: Figures,
 *   events: ScheduledEvent[], now: string }} Room
 */
/**
 * `body` is empty if a refusal was no JSON.
 * @typedef {{ status: number, body: any, retryAfterSeconds: number }} Answer
 */

/** The address of the API. */
export const API = new URL('../api/v1/', location.href)
const TIMEOUT_MS = 8_000

const stored = sessionStorage.getItem('antesala-token') ?? ''
/**
 * The token is kept only in this tab. `isIn` means that this page may read. With Cloudflare Access no token is needed.
 */
export const operator = { token: stored, isIn: stored !== '' || document.documentElement.dataset.login === 'access' }

/** Stores an accepted token for this tab. */
export function rememberOperator() {
  sessionStorage.setItem('antesala-token', operator.token)
}

export function forgetToken() {
  operator.token = ''
  operator.isIn = false
  sessionStorage.removeItem('antesala-token')
}

/** @type {(why: string) => void} */
let leave = () => {}
/** Sets the function that is called when the API refuses this token. @param {(why: string) => void} listener */
export function onShutOut(listener) {
  leave = listener
}

/** Returns whether the token is refused. If it is, the login is shown. @param {Answer | null} answer */
export function isShutOut(answer) {
  // A refusal that contains a role is about this one request only.
  if (answer?.status !== 401 && (answer?.status !== 403 || 'role' in answer.body)) return false
  leave(refusal(answer))
  return true
}

/** @param {Pick<Room, 'name'>} room */
export function pathOf(room) {
  return `rooms/${encodeURIComponent(room.name)}`
}

/**
 * Returns null when no answer came. @param {string} path @param {RequestInit} [init] @returns {Promise<Answer | null>}
 */
export async function call(path, init = {}) {
  try {
    const token = operator.token === '' ? {} : { Authorization: `Bearer ${operator.token}` }
    const headers = { ...token, ...init.headers }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(new URL(path, API), { cache: 'no-store', ...init, headers, signal })
    const type = response.headers.get('Content-Type') ?? ''
    const isJson = response.ok && type.includes('json')
    const body = type.startsWith('text/')
      ? await response.text()
      : isJson
        ? await response.json()
        : await response.json().catch(() => ({}))
    return { status: response.status, body, retryAfterSeconds: Number(response.headers.get('Retry-After')) || 0 }
  } catch {
    return null
  }
}

/** @param {Answer | null} answer */
export function refusal(answer) {
  if (!answer) return 'No answer from the server. Check the connection and try again.'
  if (answer.status === 401) return `This token is not accepted. ${answer.body.detail ?? ''}`.trim()
  if (answer.status === 403) return `${answer.body.title ?? 'This is not allowed'}. ${answer.body.detail ?? ''}`.trim()
  if (answer.status === 429)
    return 'This token is not accepted. Many wrong ones have come from your network; the right one is accepted at any time.'
  return `The server answered ${answer.status}. Try again in a moment.`
}

/**
 * Explains why a change was not made. The problem of `key` comes first.
 * @param {Answer | null} answer
 * @param {string} key the setting whose problem comes first
 */
export function reason(answer, key) {
  if (!answer || answer.status >= 500)
    return `${answer ? `The server answered ${answer.status}` : 'No answer came'}, so this may or may not be in force. Look at the figures, then try again.`
  /** @type {{ path: string, message: string }[]} */
  const problems = answer.body.problems ?? []
  if (answer.status === 403) return `${answer.body.detail} Nothing was changed.`
  if (problems.length === 0)
    return `${answer.body.title ?? `The server answered ${answer.status}`}. Nothing was changed.`
  problems.sort((a, b) => Number(b.path === key) - Number(a.path === key))
  return problems.map(({ path, message }) => `${path} ${message}.`).join(' ')
}
