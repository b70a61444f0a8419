/** A visitor over real HTTP who keeps the cookie of the room and can poll. */
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

/** Visitors share connections, as through a proxy. One socket each would test the limits of the machine. */
export const agent = new Agent({ keepAlive: true, maxSockets: 256 })

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }

export function send(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: init.method ?? 'GET', headers: init.headers ?? {} }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed an idle connection just when it was reused. Browsers also try again then.
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(send(url, init))
      else reject(error)
    })
    outgoing.end(init.body)
  })
}

export interface Place {
  readonly state: 'waiting' | 'called' | 'missed' | 'admitted' | 'none'
  readonly position: number | null
  readonly called: boolean
  readonly pollAfterSeconds: number | null
}

export class Visitor {
  readonly base: string
  readonly room: string
  cookie = ''

  constructor(base: string, room: string) {
    this.base = base
    this.room = room
  }

  async get(path = '/', headers: Record<string, string> = PAGE): Promise<Answer> {
    const answer = await send(`${this.base}${path}`, {
      headers: { ...headers, ...(this.cookie ? { Cookie: this.cookie } : {}) },
    })
    const set = answer.headers['set-cookie']
    if (Array.isArray(set)) {
      const ours = set.find(cookie => cookie.includes('antesala-'))
      if (ours) this.cookie = ours.slice(0, ours.indexOf(';'))
    }
    return answer
  }

  async poll(): Promise<Place | null> {
    const { status, text } = await this.get(`/.waiting-room/status?room=${this.room}&claim=1`, {
      Accept: 'application/json',
    })
    return status === 200 ? (JSON.parse(text) as Place) : null
  }

  /** The unverified claims of the visitor's token. */
  get claims(): Record<string, unknown> {
    const payload = this.cookie.slice(this.cookie.indexOf('=') + 1).split('.')[1] ?? ''
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  }
}

export const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
