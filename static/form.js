// @ts-check
// A form that met the line. The page keeps its fields while it polls, and offers to send them again once the visitor is
// in. It sends them only after a click. The syntax is that of 2019, as on the waiting page: no ?. and no ??.
;(() => {
  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  const form = /** @type {HTMLFormElement} */ (element('again'))
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))

  form.hidden = true
  // The page has finished waiting: its visitor is in, or must begin anew.
  room.addEventListener('over', () => {
    form.hidden = false
    element('lead').hidden = true
    for (const part of document.querySelectorAll('dl, progress, .foot, #status, #tell, #told')) part.remove()
    const action = element('action')
    action.textContent = room.dataset.open || ''
    action.hidden = false
    form.append(' ', action)
    button.focus()
    // A session is short until its pass has come back once. This request brings it back.
    fetch(room.dataset.wait || '', { redirect: 'manual' }).catch(() => {})
  })
  // A second click would send the form twice. After the browser's Back it may be sent again.
  form.addEventListener('submit', () => setTimeout(() => (button.disabled = true)))
  window.addEventListener('pageshow', () => (button.disabled = false))
})()
