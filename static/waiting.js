// @ts-check
// Keeps the page up to date and enters by itself. A visitor can get in without this script: then the page reloads. The
// syntax is that of 2019, so that it also works on old phones: no ?. and no ??.
;(() => {
  /**
   * @typedef {{ headline: string, lead: string, paused?: string, place?: string, wait?: string,
   *   title?: string, action?: string }} StateText
   */
  /** @typedef {'waiting' | 'called' | 'missed' | 'admitted' | 'none'} State */
  /** @typedef {{ waitTimeKnown?: boolean, waitTimeFormatted?: string }} Published */
  /**
   * @typedef {{ state: State, position: number | null, othersCalled?: number | null, held: boolean,
   *   soldOut?: boolean, slowerText?: string, text?: StateText, reason: 'outage' | 'slow' | null,
   *   drawAt: string | null, message: string, messageLanguage: string | null, pollAfterSeconds: number | null,
   *   claimInSeconds?: number | null, likelyAt?: string | null, cfWaitingRoom: Published }} Place
   */

  // The page asks again if no answer has come within this time. After a change of network none ever comes.
  const ANSWER_WITHIN_MS = 15000
  const RETRY_MAX_SECONDS = 60
  const RETRY_AFTER_MAX_SECONDS = 300
  // If the site's answer is a download, this page stays open. After this time it can be used again.
  const OPENED_WITHIN_MS = 20000
  // The number is announced to screen readers when it has fallen to this share of the last one, and at most this often.
  const SAID_AT_SHARE = 0.75
  const SAID_EVERY_MS = 20000
  // In a long line the number is announced at least this often.
  const SAID_AFTER_MS = 600000
  // The sound of a turn lasts this long.
  const SOUND_MS = 1200

  // Some browsers throw here when cookies are blocked.
  const channel = () => {
    try {
      return new BroadcastChannel(statusUrl)
    } catch {
      return null
    }
  }
  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const bar = /** @type {HTMLProgressElement} */ (element('way'))
  const statusUrl = room.dataset.status || ''
  /** @type {typeof import('./texts/en.json') & { soldOut: string, about: string, locales: string[] }} */
  const texts = JSON.parse(element('texts').textContent || '')
  // Other visitors are called too, so this visitor is not simply the next one.
  const among = { ...texts.called, place: texts.called.among, title: '' }
  const numbers = new Intl.NumberFormat(texts.locales)
  const tabs = channel()
  // The address to which the page of a form leads. Other pages have none here.
  const to = room.dataset.to || ''
  const form = document.getElementById('again')
  const transfer = /** @type {HTMLFormElement} */ (element('transfer'))

  let shown = Number(room.dataset.position) || Number.POSITIVE_INFINITY
  // If the page came with a number, its request had a cookie, so cookies work.
  let placed = Number.isFinite(shown)
  let missed = room.dataset.state === 'missed'
  let entering = false
  // True if the visitor may be away when the turn comes. Then the page keeps the turn until the button is pressed.
  let keeps = room.dataset.state === 'turn'
  // The end of the turn by performance.now(), which is not affected if the visitor's clock is changed.
  let turnEndsMs = performance.now() + Number(room.dataset.left) * 1000
  // The solution of a challenge. It is kept until the room has it.
  let solution = ''
  let failures = 0
  let dueAtMs = 0
  let updated = element('status').textContent || ''
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  /** @type {AbortController | undefined} */
  let asking
  const heard = {
    state: `${element('headline').textContent}. ${element('lead').textContent}`,
    message: element('message').textContent,
    position: shown,
    atMs: 0,
  }
  // After the wait the browser names this page as the referrer. client.js gives the original one to the site.
  try {
    const [from = ''] = document.referrer.split('?')
    if ('referrer' in room.dataset && new URL(from).host !== location.host)
      sessionStorage.setItem('antesala-referrer', from)
  } catch {}

  // The first and the last position are stored, so that after a reload the bar continues where it was.
  let way = { from: 0, at: 0 }
  try {
    way = JSON.parse(sessionStorage.getItem(statusUrl) || '') || way
  } catch {}

  const set = (/** @type {string} */ id, /** @type {string} */ text) => {
    if (element(id).textContent !== text) element(id).textContent = text
  }

  const rename = (/** @type {string} */ url) => history.replaceState(history.state, '', url)

  const offerAction = (/** @type {string} */ label) => {
    set('action', label)
    element('action').hidden = label === ''
  }

  // A poll claims the turn at once, unless the visitor is asked first. With a form the visitor decides when to send it.
  const asks = () => keeps || 'asks' in room.dataset || (!form && document.visibilityState === 'hidden')

  const tick = () => {
    if (!keeps || entering) return
    const left = Math.max(0, Math.ceil((turnEndsMs - performance.now()) / 1000))
    set('lead', texts.turn.replace('{time}', countdown(left)))
    document.title = `${countdown(left)} ${texts.admitted.headline}${room.dataset.suffix}`
    if (left === 0 && dueAtMs > Date.now() + 2000) pollIn(1)
  }

  const keepTurn = (/** @type {Place} */ { claimInSeconds }) => {
    const isNew = !keeps
    keeps = true
    turnEndsMs = performance.now() + (claimInSeconds || 0) * 1000
    tick()
    if (isNew) room.dispatchEvent(new Event('turn'))
  }

  // Finds links with the same pattern as links.ts.
  const LINK = /(https:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]]|tel:\+?[\d-]{3,20})/
  const spoken = (/** @type {string} */ message) =>
    message.split(LINK).map((part, i) => (i % 2 ? part.replace('tel:', '') : part))

  const showMessage = (/** @type {string} */ message) => {
    const box = element('message')
    box.hidden = !message
    const parts = spoken(message)
    if (box.textContent === parts.join('')) return
    box.textContent = ''
    for (const [i, address] of message.split(LINK).entries()) {
      const link = document.createElement('a')
      Object.assign(link, { href: address, target: '_blank', rel: 'noopener noreferrer', textContent: parts[i] })
      box.append(i % 2 ? link : parts[i] || '')
    }
  }

  const pollIn = (/** @type {number} */ seconds) => {
    clearTimeout(timer)
    dueAtMs = Date.now() + seconds * 1000
    timer = setTimeout(poll, seconds * 1000)
  }

  const connected = (/** @type {boolean} */ isConnected) => {
    const wasLost = 'lost' in room.dataset
    if (isConnected) delete room.dataset.lost
    else room.dataset.lost = ''
    set('status', isConnected ? updated : texts.lost)
    if (isConnected === wasLost) set('said', isConnected ? texts.found : texts.lost)
  }

  // The address is opened by GET, so a form is never sent twice.
  const enter = () => {
    if (entering) return
    entering = true
    clearTimeout(timer)
    dueAtMs = Number.POSITIVE_INFINITY
    const { asks: press } = room.dataset
    if (keeps && press) {
      location.replace(press + encodeURIComponent(location.hash))
      entering = false
      return pollIn(OPENED_WITHIN_MS / 1000)
    }
    if (to) rename(to)
    const { href, origin, pathname } = location
    // When a page goes to its own address with a fragment, browsers only scroll. So this page first changes its
    // address: it removes the query, or adds an empty one.
    if (href.includes('#')) {
      rename(origin + pathname + (/^[^#]*\?/.test(href) ? '' : '?'))
    }
    location.replace(href)
    setTimeout(() => {
      entering = false
      rename(href)
      offerAction(texts.admitted.action)
    }, OPENED_WITHIN_MS)
  }

  // A form stays on the page until its visitor sends it again or continues without it.
  const finish = (/** @type {boolean} */ isTurn) => {
    if (form) room.dispatchEvent(new Event('over'))
    else if (isTurn && 'told' in room.dataset && !keeps) {
      room.dispatchEvent(new Event('turn'))
      setTimeout(enter, SOUND_MS)
    } else enter()
  }

  // Shows the time of day at which the wait ends, in the visitor's time zone.
  const showTime = (/** @type {string | null | undefined} */ at) => {
    const time = at && new Date(at).toLocaleTimeString(texts.locales, { timeStyle: 'short' })
    set('at', time ? texts.about.replace('{time}', time) : '')
  }

  const advance = (/** @type {number} */ position) => {
    if (position > way.at) way.from = position
    way.at = position
    bar.value = 100 * (1 - position / way.from)
    try {
      sessionStorage.setItem(statusUrl, JSON.stringify(way))
    } catch {}
  }

  const show = (/** @type {Place} */ place) => {
    const { held, message, cfWaitingRoom } = place
    const told = spoken(message).join('')
    if (place.state === 'missed') {
      missed = true
      shown = Number.POSITIVE_INFINITY
    } else if (place.state !== 'waiting') missed = false
    // Only one answer reports a missed turn. The page shows it for as long as the visitor waits.
    const state = missed ? 'missed' : place.state
    /** @type {StateText} */
    const text =
      state === 'called' && place.othersCalled !== 0 ? among : place.text || texts[state === 'none' ? 'waiting' : state]
    // Until the place is drawn, the text about the draw stays.
    const lead = state === 'waiting' && place.slowerText ? `${text.lead} ${place.slowerText}` : text.lead
    const { reason, soldOut } = place
    const paused = reason === 'outage' ? texts.outage : soldOut ? texts.soldOut : text.paused || texts.paused
    // While the visitor is asked to enter, the page has another text, which counts down.
    const isTurn = state === 'called' && asks()
    if (!place.drawAt && !isTurn) set('lead', held || soldOut || reason === 'outage' ? paused : lead)
    room.dataset.state = isTurn ? 'turn' : state
    set('headline', isTurn ? texts.admitted.headline : text.headline)
    showMessage(message)
    element('message').lang = place.messageLanguage || ''
    offerAction((state === 'none' && text.action) || (isTurn ? texts.admitted.action : ''))

    if (place.position !== null) shown = Math.min(shown, place.position)
    const isNumber = Number.isFinite(shown) && !text.place
    if (state === 'called' || state === 'admitted') bar.value = 100
    else if (isNumber) advance(shown)
    else bar.value = 0
    const number = isNumber ? numbers.format(shown) : text.place || ''
    if (number || !place.drawAt) set('place', number || texts.pending)
    element('place').className = number ? (number.length > 10 ? 'words' : number.length > 6 ? 'long' : '') : 'pending'
    const wait = text.wait || (cfWaitingRoom.waitTimeKnown && cfWaitingRoom.waitTimeFormatted)
    set('wait', (!held && wait) || texts.waitUnknown)
    showTime(place.likelyAt)
    const title = number && text.title ? text.title.replace('{place}', number) : text.headline
    document.title = title + room.dataset.suffix

    // Before the start of an event, start.js replaces these texts.
    room.dispatchEvent(new CustomEvent('place', { detail: place }))
    if (isTurn) keepTurn(place)
    else keeps = false

    const news = []
    const words = `${element('headline').textContent}. ${element('lead').textContent}`
    const key = keeps ? 'turn' : words
    if (heard.state !== key) news.push(words)
    if (heard.message !== told) news.push(told)
    // Before the start of an event there is a countdown instead of a place.
    if (
      isNumber &&
      !('starts' in room.dataset) &&
      !keeps &&
      ((shown <= heard.position * SAID_AT_SHARE && Date.now() - heard.atMs > SAID_EVERY_MS) ||
        Date.now() - heard.atMs > SAID_AFTER_MS)
    ) {
      news.push(texts.said.replace('{place}', number).replace('{wait}', element('wait').textContent || ''))
      heard.position = shown
      heard.atMs = Date.now()
    }
    heard.state = key
    heard.message = told
    if (news.length > 0) set('said', news.join(' '))
  }

  // `slack` is 1 if another tab polls, and has passed the place to this tab. This tab then polls only if the other one
  // stops.
  const take = (/** @type {Place} */ place, /** @type {number} */ slack) => {
    if (entering) return
    const { state } = place
    failures = 0
    updated = texts.fresh.replace('{time}', new Date().toLocaleTimeString(texts.locales))
    connected(true)
    // The line has begun anew, so this place is gone. Loading the page brings a new place. If the room keeps no line
    // any more, it brings the page that explains this.
    if (/** @type {string} */ (state) === 'rejected' || (state === 'none' && placed)) return finish(false)
    show(place)
    if (state === 'none') return
    placed = true
    if (tabs && slack === 0) tabs.postMessage(place)
    if (state === 'admitted') finish(true)
    else pollIn((place.pollAfterSeconds || 5) * (1 + slack / 2) + slack)
  }

  const poll = async () => {
    if (entering) return
    if (asking) asking.abort()
    const mine = new AbortController()
    asking = mine
    clearTimeout(timer)
    dueAtMs = Date.now() + ANSWER_WITHIN_MS
    const tooLate = setTimeout(() => mine.abort(), ANSWER_WITHIN_MS)
    let retryAfter = 0
    try {
      const url = asks() ? statusUrl.replace('claim=1', 'claim=0') : statusUrl
      const response = await fetch(solution ? url.replace('/status?', '/challenge?') : url, {
        ...(solution ? { method: 'POST', body: solution } : {}),
        headers: { Accept: 'application/json' },
        cache: 'no-store',
        signal: mine.signal,
      })
      const { status } = response
      retryAfter = Math.min(RETRY_AFTER_MAX_SECONDS, Number(response.headers.get('Retry-After')) || 0)
      if (status < 500 && status !== 429) solution = ''
      // The room no longer exists, so there is nothing to wait for.
      if (status === 404) finish(false)
      else if (status === 429) {
        failures = 0
        connected(true)
        pollIn((retryAfter || 5) + Math.random())
      } else if (response.ok) {
        const place = await response.json()
        if (mine === asking) take(place, 0)
      } else throw new Error(String(status))
    } catch {
      if (mine !== asking) return
      failures++
      // A single failure is not reported to the visitor.
      if (failures > 1 || !navigator.onLine) connected(false)
      pollIn(Math.max(retryAfter, Math.min(RETRY_MAX_SECONDS, 2 ** failures) * (0.5 + Math.random())))
    } finally {
      clearTimeout(tooLate)
    }
  }

  // When a phone wakes up, or Back restores the page, the timer may have stopped. So the page polls at once.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && Date.now() > dueAtMs) poll()
  })
  window.addEventListener('pageshow', event => event.persisted && poll())
  window.addEventListener('offline', () => connected(false))
  window.addEventListener('online', () => 'lost' in room.dataset && pollIn(Math.random()))
  room.addEventListener('solved', event => {
    solution = /** @type {CustomEvent<string>} */ (event).detail
    poll()
  })
  element('action').addEventListener('click', enter)
  // The code is shown on this page, which goes on polling. Without scripts the form opens a page.
  transfer.addEventListener('submit', async event => {
    event.preventDefault()
    try {
      const response = await fetch(`${transfer.action}&part=1`, { method: 'POST' })
      if (!response.ok) throw response
      element('along').innerHTML = await response.text()
      element('along').focus()
    } catch {
      transfer.submit()
    }
  })
  if (tabs) tabs.onmessage = event => take(event.data, 1)

  // From now on, a manual reload opens that page and does not send the form again.
  if (to && !form) rename(to)
  setInterval(tick, 1000)
  tick()
  showTime(element('at').dataset.at)
  if (keeps) offerAction(texts.admitted.action)
  if (room.dataset.state === 'called') bar.value = 100
  else if (placed) advance(shown)
  pollIn(Number(room.dataset.poll) || 5)
})()
