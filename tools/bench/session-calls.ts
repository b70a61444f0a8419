/** Counts the object calls of sessions that go from page to page. Calls that give idle leases back count, too. */
import { Agent, request } from 'node:http'

/** One request is the page; the others are its assets, loaded at once. */
export const SESSION = { pages: 10, requests: 20, everyMs: 20_000 } as const
const SESSIONS = 10
/** Idle leases are given back within this time, and the room counts the calls a second later. */
const SETTLED_MS = 14_000

/** Object calls per 1,000 requests of sessions with staggered pages, from the claim to the last page. */
export async function callsPerThousand(url: string, room: string, adminToken: string): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const before = await callsOf(url, room, adminToken)
  await Promise.all(
    Array.from({ length: SESSIONS }, async (_, i) => {
      await pause((i * SESSION.everyMs) / SESSIONS)
      await browse(agent, `${url}/${room}`)
    }),
  )
  await pause(SETTLED_MS)
  agent.destroy()
  const calls = (await callsOf(url, room, adminToken)) - before
  return (calls * 1_000) / (SESSIONS * SESSION.pages * SESSION.requests)
}

async function browse(agent: Agent, url: string): Promise<void> {
  let cookie = ''
  for (let page = 0; page < SESSION.pages; page++) {
    if (page > 0) await pause(SESSION.everyMs)
    cookie = (await get(agent, url, 'text/html', cookie)) || cookie
    await Promise.all(
      Array.from({ length: SESSION.requests - 1 }, (_, i) => get(agent, `${url}/${i}.png`, 'image/*', cookie)),
    )
  }
}

/** Returns the cookie that was set, or ''. */
function get(agent: Agent, url: string, accept: string, cookie: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Accept: accept, ...(cookie === '' ? {} : { Cookie: cookie }) }
    const outgoing = request(url, { agent, headers }, response => {
      response.resume()
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.on('end', () => resolve(response.headers['set-cookie']?.[0]?.split(';')[0] ?? ''))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

async function callsOf(url: string, room: string, adminToken: string): Promise<number> {
  const headers = { Authorization: `Bearer ${adminToken}` }
  const response = await fetch(`${url}/.waiting-room/api/v1/rooms/${room}`, { headers })
  if (!response.ok) throw new Error(`no figures of the room: ${response.status}`)
  const { figures } = (await response.json()) as { figures: { totals: Record<string, number> } }
  return figures.totals.calls ?? 0
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
