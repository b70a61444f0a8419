// @ts-check
// Sends the form at once. Without this script the visitor does it by the button.
// A second press would send it a second time, so the button goes.
;(() => {
  const action = /** @type {HTMLButtonElement} */ (document.getElementById('action'))
  action.hidden = true
  if (action.form) action.form.submit()
})()
