// @ts-check
// Solves the challenge of the room, and passes the solution to the page, which sends it with its next poll. The browser
// calculates in a worker, or loads a widget of Turnstile. A place without a solution counts after a minute, so if
// anything fails here, the visitor only waits longer. The syntax is that of 2019.
;(() => {
  /** @typedef {{ parameters: { expiresAt: number } }} Work */
  /** @typedef {{ turnstile: { sitekey: string, cData: string } }} Widget */
  /** @typedef {{ challenge: Work | Widget | null, cfWaitingRoom: { infiniteQueue?: boolean } }} Place */

  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const given = JSON.parse(element('challenge').textContent || '')
  /** @type {{ lead: string, failed: string, widget: string }} */
  const texts = given.texts
  // After this time the page explains that the place counts even without a solution.
  const SLOW_AFTER_MS = 5000
  /** @type {Worker | undefined} */
  let worker
  let expiresMs = 0
  // The place for which the widget on the page was made.
  let named = ''
  /** @type {string | undefined} */
  let widget
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let slow

  const explain = (/** @type {boolean} */ isSlow) => {
    element('slow').hidden = !isSlow
  }

  const end = () => {
    if (worker) worker.terminate()
    worker = undefined
    clearTimeout(slow)
    explain(false)
  }

  const begin = () => {
    end()
    slow = setTimeout(explain, SLOW_AFTER_MS, true)
  }

  const offer = (/** @type {object} */ solution) => {
    end()
    room.dispatchEvent(new CustomEvent('solved', { detail: JSON.stringify(solution) }))
  }

  const calculate = (/** @type {Work} */ challenge) => {
    // Every poll brings a new challenge. But the one that is being solved is valid until it expires.
    if (worker && Date.now() < expiresMs) return
    begin()
    try {
      worker = new Worker(given.worker)
    } catch {
      return explain(true)
    }
    expiresMs = challenge.parameters.expiresAt * 1000
    worker.onerror = () => explain(true)
    worker.onmessage = ({ data: solution }) => offer({ challenge, solution })
    worker.postMessage(challenge)
  }

  const turnstile = () => /** @type {any} */ (window).turnstile

  const render = (/** @type {Widget['turnstile']} */ { sitekey, cData }) => {
    if (cData !== named) return
    const done = (/** @type {string} */ token) => offer({ turnstile: token })
    const failed = () => explain(true)
    const options = {
      sitekey,
      cData,
      callback: done,
      'error-callback': failed,
      language: document.documentElement.lang,
    }
    widget = turnstile().render(element('widget'), options)
  }

  const show = (/** @type {Widget['turnstile']} */ place) => {
    if (place.cData === named) return
    begin()
    named = place.cData
    if (widget !== undefined) turnstile().remove(widget)
    widget = undefined
    if (turnstile()) return render(place)
    const script = document.createElement('script')
    script.src = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit'
    script.onload = () => render(place)
    script.onerror = () => explain(true)
    document.head.append(script)
  }

  const remove = () => {
    if (widget !== undefined) turnstile().remove(widget)
    widget = undefined
    named = ''
  }

  const solve = (/** @type {Work | Widget | null} */ challenge) => {
    if (challenge && 'turnstile' in challenge) return show(challenge.turnstile)
    remove()
    if (challenge) calculate(challenge)
    else end()
  }

  const placed = (/** @type {Place} */ { challenge, cfWaitingRoom }) => {
    if (cfWaitingRoom.infiniteQueue) element('lead').textContent = texts.failed
    if (challenge) element('lead').textContent = 'turnstile' in challenge ? texts.widget : texts.lead
    solve(challenge)
  }

  room.addEventListener('place', event => placed(/** @type {CustomEvent<Place>} */ (event).detail))
  solve(given.challenge)
})()
