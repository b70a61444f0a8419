// @ts-check
// Login and logout: the token stays in this tab, and nothing is shown without a token that the API accepts.
import { call, forgetToken, isShutOut, onShutOut, operator, refusal, rememberOperator } from './api.js'
import { $, input, say } from './dom.js'
import { poll, reading, stopReading, takeAnswer } from './rooms.js'

/** Shows the room if there is a token, otherwise the login. */
export function start() {
  onShutOut(shut)
  $('login-form').addEventListener('submit', event => {
    event.preventDefault()
    logIn()
  })
  $('logout').addEventListener('click', () => {
    const isByAccess = reading.you?.by === 'access'
    shut('')
    if (isByAccess) return location.assign('/cdn-cgi/access/logout')
    location.reload() // so that no data and no text stays in memory
  })
  if (!operator.isIn) return shut('')
  open()
  poll()
}

async function logIn() {
  const box = input('token')
  operator.token = box.value.trim()
  // A header contains plain ASCII, so a token with any other character cannot be right.
  const isPossible = /^[\x21-\x7e]{1,512}$/.test(operator.token)
  const answer = isPossible ? await call('rooms') : { status: 401, body: {}, retryAfterSeconds: 0 }
  box.ariaInvalid = String(answer?.status === 401)
  if (answer?.status === 200) {
    rememberOperator()
    box.value = ''
    open()
    return takeAnswer(answer.body)
  }
  if (!isShutOut(answer)) shut(refusal(answer))
  box.focus()
  box.select()
}

function open() {
  operator.isIn = true
  $('login').hidden = true
  $('app').hidden = false
}

/** @param {string} why */
function shut(why) {
  stopReading()
  forgetToken()
  const dialog = /** @type {HTMLDialogElement} */ ($('confirm'))
  dialog.close()
  $('app').hidden = true
  $('login').hidden = false
  $('login-note').hidden = why === ''
  say('login-note', why)
  input('token').focus()
}
