// @ts-check
// Sends the form at once. Without this script the visitor presses the button. A second press would send the form again,
// so the button is hidden.
;(() => {
  const action = /** @type {HTMLButtonElement} */ (document.getElementById('action'))
  action.hidden = true
  if (action.form) action.form.submit()
})()
