// @ts-check
// Solves the challenge of the room in a worker, and hands the solution to the page, which sends it with its next poll.
// Without it the place counts after a minute, so whatever fails here only takes longer. The syntax is that of 2019.
;(() => {
  /** @typedef {{ parameters: { expiresAt: number } }} Challenge */
  /** @typedef {{ challenge: Challenge | null, cfWaitingRoom: { infiniteQueue?: boolean } }} Place */

  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const given = JSON.parse(element('challenge').textContent || '')
  /** @type {{ lead: string, failed: string }} */
  const texts = given.texts
  // From then on the page explains what happens without a solution.
  const SLOW_AFTER_MS = 5000
  /** @type {Worker | undefined} */
  let worker
  let expiresMs = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let slow

  const end = () => {
    if (worker) worker.terminate()
    worker = undefined
    clearTimeout(slow)
  }

  const explain = (/** @type {boolean} */ isSlow) => {
    element('slow').hidden = !isSlow
  }

  const solve = (/** @type {Challenge} */ challenge) => {
    // Every poll brings a new challenge. The one that is being solved is good until it expires.
    if (worker && Date.now() < expiresMs) return
    end()
    try {
      worker = new Worker(given.worker)
    } catch {
      return explain(true)
    }
    expiresMs = challenge.parameters.expiresAt * 1000
    slow = setTimeout(explain, SLOW_AFTER_MS, true)
    worker.onerror = () => explain(true)
    worker.onmessage = ({ data: solution }) => {
      end()
      room.dispatchEvent(new CustomEvent('solved', { detail: JSON.stringify({ challenge, solution }) }))
    }
    worker.postMessage(challenge)
  }

  const show = (/** @type {Place} */ { challenge, cfWaitingRoom }) => {
    if (cfWaitingRoom.infiniteQueue) element('lead').textContent = texts.failed
    if (!challenge) {
      end()
      return explain(false)
    }
    element('lead').textContent = texts.lead
    solve(challenge)
  }

  room.addEventListener('place', event => show(/** @type {CustomEvent<Place>} */ (event).detail))
  if (given.challenge) solve(given.challenge)
})()
