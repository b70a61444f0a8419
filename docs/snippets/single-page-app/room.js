// Waits for the room without its script: for an app with its own design of the wait, or whose API is on another host.
const IN_LINE = ['waiting', 'called', 'missed']
const REJECTED = ['rejected', 'sold-out', 'uninvited']

/** Thrown where the room keeps no line for the visitor. `pageUrl` shows the visitor why. */
export class NoPlace extends Error {
  constructor(place) {
    super('there is no place in the waiting room')
    this.pageUrl = place.pageUrl
  }
}

export const isOfTheRoom = state => IN_LINE.includes(state) || REJECTED.includes(state)

/** Only these may be sent again without a question. An answer to HEAD has no place in it. */
export const isSentAgain = method => method.toUpperCase() === 'GET'

const TOKEN = 'Waiting-Room-Token'
const keyOf = url => `waiting-room of ${new URL(url).origin}`

/** Only an API of another site gives a token: a browser keeps no cookie of such an API. It is kept with the tab. */
export const tokenFor = url => storage()?.getItem(keyOf(url))
export const keepToken = (url, token) => token && storage()?.setItem(keyOf(url), token)

/** Browsers that block cookies throw here. */
function storage() {
  try {
    return sessionStorage
  } catch {
    return null
  }
}

async function send(request) {
  const token = tokenFor(request.url)
  if (token) request.headers.set(TOKEN, token)
  const answer = await fetch(request)
  keepToken(request.url, answer.headers.get(TOKEN))
  return answer
}

/** The waits, by the address of their polls. */
const waits = new Map()

/**
 * Polls until the visitor is inside, or `signal` aborts. Requests that meet the same line share one wait. Calls `show`
 * with each place, and last with null.
 */
export function waitForTurn(url, place, show, signal) {
  const aborted = new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  const polls = new URL(place.statusUrl, url).href
  const wait = waits.get(polls) ?? begin(polls, place)
  wait.shows.add(show)
  if (IN_LINE.includes(wait.place.state)) show(wait.place)
  return Promise.race([wait.over, aborted])
}

function begin(polls, place) {
  const wait = { place, shows: new Set() }
  waits.set(polls, wait)
  wait.over = poll(polls, wait).finally(() => {
    waits.delete(polls)
    for (const show of wait.shows) show(null)
  })
  return wait
}

async function poll(url, wait) {
  while (IN_LINE.includes(wait.place.state)) {
    await new Promise(resolve => setTimeout(resolve, wait.place.pollAfterSeconds * 1000))
    const request = new Request(url, { headers: { Accept: 'application/json' }, credentials: 'include' })
    // Without a connection there is no answer. A poll that came too early has no place in it.
    const answer = await send(request).catch(() => null)
    if (!answer?.ok) continue
    wait.place = await answer.json()
    if (IN_LINE.includes(wait.place.state)) for (const show of wait.shows) show(wait.place)
  }
  if (wait.place.state !== 'admitted') throw new NoPlace(wait.place)
}

/** A fetch that waits. A request that changes something is returned with its 503: the app offers it again. */
export async function roomFetch(input, init, show) {
  const request = new Request(input, init)
  const answer = await send(request.clone())
  if (!isOfTheRoom(answer.headers.get('Waiting-Room-State')) || request.method === 'HEAD') return answer
  await waitForTurn(request.url, await answer.clone().json(), show, request.signal)
  return isSentAgain(request.method) ? send(request) : answer
}
