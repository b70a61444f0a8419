// @ts-check
// Opens the address again after the time that the answer has set, but only while the page is visible. The page works
// without this script: then it reloads by itself. The syntax is that of 2019, as on the waiting page.
;(() => {
  const room = /** @type {HTMLElement} */ (document.getElementById('room'))
  const dueAtMs = Date.now() + Number(room.dataset.seconds) * 1000

  const open = () => {
    if (document.visibilityState === 'visible' && Date.now() >= dueAtMs)
      location.replace(new URL(room.dataset.url || '', location.href).href)
  }

  document.addEventListener('visibilitychange', open)
  setInterval(open, 1000)
})()
