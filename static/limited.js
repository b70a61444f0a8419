// @ts-check
// Counts down, and then opens the page again or offers to open it. The page works without this script: then it reloads
// by itself. The syntax is that of 2019, as on the waiting page: no ?. and no ??.
;(() => {
  const room = /** @type {HTMLElement} */ (document.getElementById('room'))
  const left = document.getElementById('place')
  const action = /** @type {HTMLElement} */ (document.getElementById('action'))
  const said = /** @type {HTMLElement} */ (document.getElementById('said'))
  const endMs = Date.now() + Number(room.dataset.seconds) * 1000

  // The address is opened by GET, so a form is never sent twice.
  const open = () => location.replace(new URL(room.dataset.url || '', location.href).href)

  const tick = () => {
    const seconds = Math.max(0, Math.ceil((endMs - Date.now()) / 1000))
    if (left) {
      left.textContent = countdown(seconds)
      left.className = left.textContent.length > 6 ? 'long' : ''
    }
    if (seconds > 0) {
      setTimeout(tick, 250)
      return
    }
    if ('reloads' in room.dataset) open()
    else said.textContent = room.dataset.now || ''
    action.hidden = false
  }

  action.addEventListener('click', open)
  if (left) tick()
})()
