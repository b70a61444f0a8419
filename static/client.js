// @ts-check
// The waiting room for the scripts of a site. It wraps fetch and XMLHttpRequest. When a request meets the line, it
// shows the waiting page. A safe request is sent again once the visitor is inside. It also asks the visitor before a
// session ends. The edge serves this file as a script and as a module, with the facts of a room
// (src/edge/control/client.ts).

/**
 * The types of sites are in src/edge/control/client-types.ts. A test holds both to be the same.
 *
 * @typedef {{ readonly wait?: 'dialog' | 'page', readonly warnSeconds?: number | string }} Options
 * @typedef {{ extend(): Promise<boolean>, readonly referrer: string }} WaitingRoom
 * @typedef {{ waiting: string, ending: string, stay: string, close: string }} Texts
 * @typedef {{ prefix: string, room: string, lang: string, dir: string, texts: Texts }} Facts
 * @typedef {{ endsInSeconds: number, renewable: boolean }} Session
 * @typedef {(room: string, isSafe: boolean) => Promise<boolean>} Wait
 */

const MARK = 'Waiting-Room-State'
const OUTSIDE = ['waiting', 'called', 'missed', 'rejected', 'sold-out', 'uninvited']
// After a visitor has closed the dialog, requests are not held for this time. An answer of the site may mean that a
// session has begun. Then the page asks when the session ends, at most this often.
const QUIET_MS = 60000
// While a warning is shown, the session is checked this often, because another tab may extend it.
const LOOK_EVERY_MS = 10000

const isSafe = (/** @type {string} */ method) => /^(GET|HEAD)$/i.test(method)
const isOutside = (/** @type {string | null} */ state) => OUTSIDE.includes(state || '')

/**
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<never>}
 */
const abortOf = signal => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

/**
 * Returns a fetch that waits. If a safe request meets the line, it is sent once more after the wait. Any other request
 * gets its own answer, because only the page knows whether to send it again.
 * @param {typeof fetch} send
 * @param {Wait} wait
 * @param {() => void} note called for each answer of the site
 * @returns {typeof fetch}
 */
export const waitingFetch = (send, wait, note) => async (input, init) => {
  const own = /** @type {Partial<Request>} */ (typeof input === 'object' ? input : {})
  const safe = isSafe(init?.method || own.method || 'GET')
  const response = await send(input, init)
  const state = response.headers.get(MARK)
  // A request without credentials has no place in line, so waiting would not help.
  const credentials = init?.credentials || own.credentials
  if (!isOutside(state) || response.type === 'cors' || credentials === 'omit') {
    if (!state) note()
    return response
  }
  const waited = wait(response.headers.get('Waiting-Room-Name') || '', safe)
  const signal = init?.signal || own.signal
  return safe && (await Promise.race([waited, abortOf(signal)])) ? send(input, init) : response
}

/**
 * Returns an XMLHttpRequest that waits, as `waitingFetch` does. The page sees no event of an answer that met the line.
 * @param {typeof XMLHttpRequest} Native
 * @param {Wait} wait
 * @param {() => void} note
 */
export const waitingRequest = (Native, wait, note) =>
  class extends Native {
    /** @type {any[]} */
    #asked = []
    /** @type {[string, string][]} */
    #headers = []
    /** @type {any} */
    #body
    #left = 0

    constructor() {
      super()
      const hide = (/** @type {Event} */ event) => {
        const state = this.readyState > 1 && this.getResponseHeader(MARK)
        const isOver = event.type === 'loadend'
        if (!state || !isOutside(state) || new URL(this.responseURL).origin !== location.origin) {
          if (isOver && this.status && !state) note()
          return
        }
        const safe = isSafe(this.#asked[0])
        const room = this.getResponseHeader('Waiting-Room-Name') || ''
        if (!safe) {
          if (isOver) void wait(room, false)
        } else if (this.#left > 0) {
          event.stopImmediatePropagation()
          if (isOver) void this.#again(wait(room, true))
        }
      }
      // These listeners are added first, so that they can stop an event before all others see it.
      for (const type of ['readystatechange', 'progress', 'load', 'loadend']) super.addEventListener(type, hide)
    }

    /** @override @param {any[]} asked */
    open(...asked) {
      this.#asked = asked
      this.#headers = []
      // A synchronous request stops its page until the answer comes, so it cannot wait.
      this.#left = asked[2] === false ? 0 : 1
      super.open(.../** @type {[string, string]} */ (/** @type {unknown} */ (asked)))
    }

    /** @override @param {string} name @param {string} value */
    setRequestHeader(name, value) {
      this.#headers.push([name, value])
      super.setRequestHeader(name, value)
    }

    /** @override @param {any} [body] */
    send(body) {
      this.#body = body
      super.send(body)
    }

    /** @override */
    abort() {
      this.#asked = []
      super.abort()
    }

    /** @param {Promise<boolean>} waited */
    async #again(waited) {
      const asked = this.#asked
      await waited
      if (asked !== this.#asked) return
      // Sends the request again, and the page gets its events. If the visitor has closed the dialog, the page gets the
      // refusal.
      this.#left = 0
      super.open(.../** @type {[string, string]} */ (/** @type {unknown} */ (asked)))
      for (const [name, value] of this.#headers) super.setRequestHeader(name, value)
      super.send(this.#body)
    }
  }

/**
 * Returns a layer over the page that the site's style does not reach. Its style is set by script, which a
 * Content-Security-Policy allows.
 * @param {Facts} facts
 * @param {HTMLElement} box
 */
const layer = ({ lang, dir }, box) => {
  const host = element('div', '', { lang, dir })
  host.attachShadow({ mode: 'open' }).append(box)
  document.body.append(host)
  return host
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} style
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 */
const element = (tag, style, properties) => {
  const made = document.createElement(tag)
  made.style.cssText = style
  return Object.assign(made, properties)
}

const BOX =
  'font:1rem/1.5 system-ui,sans-serif;color-scheme:light dark;background:Canvas;color:CanvasText;border:solid 1px GrayText;border-radius:.75rem;'
const BUTTON = 'font:inherit;min-height:2.75rem;padding:0 1rem;'

/**
 * Shows the waiting page of a room in a dialog. Returns true once the visitor is inside, false if the visitor closes
 * the dialog, and null if the page may not be shown in a frame.
 * @param {Facts} facts
 * @param {string} url
 * @returns {Promise<boolean | null>}
 */
const inDialog = (facts, url) =>
  new Promise(resolve => {
    const { waiting, close } = facts.texts
    const dialog = element('dialog', `${BOX}width:38rem;height:46rem;padding:0;overflow:hidden`, { ariaLabel: waiting })
    const frame = element('iframe', 'width:100%;height:100%;border:0', { title: waiting, src: `${url}&embedded=1` })
    const button = element('button', `${BUTTON}position:absolute;top:.5rem;inset-inline-end:.5rem`, {
      textContent: close,
      onclick: () => dialog.close(),
    })
    dialog.append(frame, button)
    const host = layer(facts, dialog)
    const end = (/** @type {boolean | null} */ isInside) => {
      host.remove()
      resolve(isInside)
    }
    frame.onload = () => {
      const shown = frame.contentDocument
      if (!shown) end(null)
      else if (shown.documentElement.dataset.state === 'admitted') end(true)
    }
    dialog.onclose = () => end(false)
    dialog.showModal()
  })

/**
 * Returns a function with which a request waits for a room. Requests that meet the same line share one wait.
 * @param {Facts} facts
 * @param {Options['wait']} how
 * @param {() => void} entered
 * @returns {Wait}
 */
const waiter = (facts, how, entered) => {
  /** @type {Map<string, Promise<boolean>>} */
  const waits = new Map()
  let closedAtMs = 0
  return (room, isSafe) => {
    const known = waits.get(room)
    if (known) return known
    const url = `${facts.prefix}/wait?room=${encodeURIComponent(room)}`
    const go = () => {
      location.assign(`${url}&to=${encodeURIComponent(location.pathname + location.search + location.hash)}`)
      return /** @type {Promise<boolean>} */ (new Promise(() => {}))
    }
    // If the page were left, the visitor would lose all typed text.
    if (how === 'page') return isSafe ? go() : Promise.resolve(false)
    if (Date.now() - closedAtMs < QUIET_MS) return Promise.resolve(false)
    const waited = inDialog(facts, url).then(isInside => {
      waits.delete(room)
      if (isInside === null) return isSafe ? go() : false
      if (isInside) entered()
      else closedAtMs = Date.now()
      return isInside
    })
    waits.set(room, waited)
    return waited
  }
}

/**
 * Watches the session, and asks the visitor before it ends.
 * @param {Facts} facts
 * @param {typeof fetch} send
 * @param {number} warnMs
 */
const sessionWatch = (facts, send, warnMs) => {
  const { prefix, room, texts } = facts
  let leadMs = warnMs
  let askedAtMs = 0
  let isWatched = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  /** @type {HTMLElement | undefined} */
  let shown

  const get = (/** @type {string} */ path, /** @type {RequestRedirect} */ redirect) =>
    send(`${prefix}/${path}?room=${encodeURIComponent(room)}`, {
      cache: 'no-store',
      headers: { Accept: 'application/json' },
      redirect,
    })

  const ask = async () => {
    askedAtMs = Date.now()
    const response = await get('status', 'follow')
    return /** @type {Session | null} */ (response.ok ? (await response.json()).session : null)
  }

  // If the visitor is inside, the page for waiting redirects at once, and that renews the session.
  const renew = async () => (await get('wait', 'manual')).type === 'opaqueredirect'

  const extend = async () => {
    const isInside = await renew()
    await look(false)
    return isInside
  }

  const show = (/** @type {boolean} */ canStay) => {
    if (shown) return
    const box = element('p', `${BOX}position:fixed;z-index:2147483647;bottom:0;inset-inline-end:1rem;padding:1rem`, {
      role: 'alert',
      textContent: `${texts.ending} `,
    })
    if (canStay) box.append(element('button', BUTTON, { textContent: texts.stay, onclick: extend }))
    shown = layer(facts, box)
  }

  const look = async (/** @type {boolean} */ isFirst) => {
    clearTimeout(timer)
    let waitMs = LOOK_EVERY_MS
    try {
      let session = await ask()
      // A session is short until its visitor has come twice. The page was just opened, so this request is the second
      // one.
      if (isFirst && session?.renewable && session.endsInSeconds * 1000 <= warnMs) {
        await renew()
        session = await ask()
      }
      const leftMs = session ? session.endsInSeconds * 1000 : 0
      if (isFirst) leadMs = Math.min(warnMs, leftMs / 3)
      isWatched = leftMs > 0
      if (session && leftMs <= leadMs) show(session.renewable)
      else {
        if (shown) shown.remove()
        shown = undefined
        waitMs = leftMs - leadMs
      }
      if (!isWatched) return
    } catch {}
    timer = setTimeout(look, waitMs, false)
  }

  return {
    extend,
    begin: () => void look(true),
    note() {
      if (!isWatched && Date.now() - askedAtMs > QUIET_MS) void look(true)
    },
  }
}

/** Returns the page from which the visitor first came, even if there was a wait. */
const firstReferrer = () => {
  const { referrer } = document
  try {
    const kept = sessionStorage.getItem('antesala-referrer')
    sessionStorage.removeItem('antesala-referrer')
    if (kept && new URL(referrer || location.href).host === location.host) return kept
  } catch {}
  return referrer
}

/**
 * Starts once for each room, even if a page or a library runs the script several times.
 * @param {Facts} facts
 * @param {Options} options
 * @returns {WaitingRoom}
 */
export const start = (facts, { wait, warnSeconds = 60 }) => {
  const started = /** @type {Record<string, WaitingRoom>} */ (/** @type {unknown} */ (window))
  const key = `waitingRoom ${facts.room}`
  const before = started[key]
  if (before) return before
  const { fetch: send, XMLHttpRequest: Native } = window
  const watch = sessionWatch(facts, send, Number(warnSeconds) * 1000)
  const isWatched = Number(warnSeconds) > 0
  const wrapped = waiter(facts, wait, () => isWatched && watch.begin())
  const note = () => isWatched && watch.note()
  window.fetch = waitingFetch(send, wrapped, note)
  window.XMLHttpRequest = waitingRequest(Native, wrapped, note)
  note()
  const room = { extend: watch.extend, referrer: firstReferrer() }
  started[key] = room
  return room
}
