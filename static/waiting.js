// @ts-check
// Keeps the page up to date and enters by itself. Without scripts the page reloads; nothing here is needed to get in.
;(() => {
  /** @type {(id: string) => HTMLElement} */
  const element = id => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const statusUrl = room.dataset.status ?? ''
  const texts = {
    waiting: ['You are in line', 'Keep this page open. You will be let in when it is your turn.'],
    called: ['You are next', 'You will be let in as soon as there is a place.'],
    missed: ['Your turn has passed', 'You were called and did not come in time, so you have a new place in line.'],
    admitted: ['Come in', 'Your page is loading.'],
    none: [
      'Cookies are switched off',
      'Without a cookie we cannot keep a place in line for you. Switch cookies on for this site, then reload.',
    ],
  }
  /** How often the place is read aloud: at first, then when it has changed by a tenth. */
  let announced = Number.POSITIVE_INFINITY
  let first = Number(room.dataset.first) || 0
  let failures = 0
  let dueAt = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  /** @param {number} seconds */
  const pollIn = seconds => {
    clearTimeout(timer)
    dueAt = Date.now() + seconds * 1000
    timer = setTimeout(poll, seconds * 1000)
  }

  const enter = () => {
    // A fragment would make replace() stay on this page; a form that was sent must not be sent again by a reload.
    if (location.hash) location.reload()
    else location.replace(location.href)
  }

  /** @param {{ state: keyof typeof texts, position: number | null, held: boolean, message: string, cfWaitingRoom: { waitTimeKnown?: boolean, waitTimeFormatted?: string } }} place */
  const show = place => {
    const [headline = '', lead = ''] = texts[place.state] ?? texts.waiting
    room.dataset.state = place.state
    element('headline').textContent = headline
    element('lead').textContent =
      place.held && place.state !== 'admitted' ? 'Nobody is being let in at the moment. Your place is kept.' : lead
    element('message').textContent = place.message
    element('message').hidden = !place.message
    const { position } = place
    element('figures').hidden = position === null
    document.title = position === null ? headline : `${position} in line`
    if (position === null) return
    first = Math.max(first, position)
    element('position').textContent = position.toLocaleString()
    element('wait').textContent = place.cfWaitingRoom.waitTimeKnown
      ? (place.cfWaitingRoom.waitTimeFormatted ?? '')
      : 'not known yet'
    const done = first > 1 ? Math.round((100 * (first - position)) / first) : 0
    element('bar').hidden = first < 2
    element('bar').setAttribute('aria-valuenow', String(done))
    element('done').style.width = `${done}%`
    if (position <= announced * 0.9 || announced === Number.POSITIVE_INFINITY) {
      announced = position
      element('live').textContent = `Place ${position} in line. Estimated wait: ${element('wait').textContent}.`
    }
  }

  const poll = async () => {
    try {
      const response = await fetch(statusUrl, {
        headers: { Accept: 'application/json' },
        credentials: 'same-origin',
        cache: 'no-store',
      })
      const retryAfter = Number(response.headers.get('Retry-After')) || 5
      if (response.status === 429) return pollIn(retryAfter)
      if (!response.ok) throw new Error(String(response.status))
      const place = await response.json()
      failures = 0
      element('hint').textContent = 'Updated just now. You do not need to reload.'
      show(place)
      if (place.state === 'admitted') return enter()
      pollIn(place.pollAfterSeconds ?? retryAfter)
    } catch {
      failures++
      element('hint').textContent = 'The connection was lost. Your place is kept; trying again.'
      pollIn(Math.min(60, 2 ** failures) * (0.8 + 0.4 * Math.random()))
    }
  }

  element('hint').textContent = 'You do not need to reload.'
  pollIn(Number(room.dataset.poll) || 5)
  // A phone that slept does not wait for a timer that was stopped.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && Date.now() > dueAt) poll()
  })
})()
