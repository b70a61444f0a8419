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

/** Polls until the visitor is inside. Calls `show` with each place, and last with null. */
export async function waitForTurn(url, firstPlace, show) {
  let place = firstPlace
  while (IN_LINE.includes(place.state)) {
    show(place)
    await new Promise(resolve => setTimeout(resolve, place.pollAfterSeconds * 1000))
    const answer = await fetch(new URL(place.statusUrl, url), {
      headers: { Accept: 'application/json' },
      credentials: 'include',
    })
    // A poll that came too early, or an answer in between, has no place in it.
    if (answer.ok) place = await answer.json()
  }
  show(null)
  if (place.state !== 'admitted') throw new NoPlace(place)
}

/** A fetch that waits. A request that changes something is returned with its 503: the app offers it again. */
export async function roomFetch(input, init, show) {
  const request = new Request(input, init)
  const answer = await fetch(request.clone())
  if (!isOfTheRoom(answer.headers.get('Waiting-Room-State'))) return answer
  await waitForTurn(request.url, await answer.clone().json(), show)
  return request.method === 'GET' || request.method === 'HEAD' ? fetch(request) : answer
}
