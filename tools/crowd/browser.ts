/** One visitor's browser: its headers, its cookies, and how it follows redirects. */
import type { Answer, Connections, Silence } from './connections.ts'
import { CookieJar } from './cookie-jar.ts'

/** An answer with its final address. After redirects `headAtMs` is from the first answer. */
export type Loaded = (Answer & { readonly url: URL }) | Silence

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 antesala-crowd'
const REDIRECTS_MAX = 5
const PAGE_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'

export class Browser {
  readonly #jar = new CookieJar()
  readonly #connections: Connections
  readonly #visitor: string
  readonly #address: string | null

  /**
   * `visitor` is sent as `X-Crowd-Visitor`, so that the origin can report which visitors reached it. `address` is sent
   * as `X-Crowd-Address`, for a waiting room that is configured to trust this header.
   */
  constructor(connections: Connections, visitor: string, address: string | null = null) {
    this.#connections = connections
    this.#visitor = visitor
    this.#address = address
  }

  /** Opens a page, or submits a form. */
  async page(url: URL, form?: Readonly<Record<string, string>>): Promise<Loaded> {
    let at = url
    let isPost = form !== undefined
    let firstHeadMs: number | null = null
    let tookMs = 0
    for (let hops = 0; ; hops++) {
      const answer = await this.#navigate(at, isPost ? form : undefined)
      tookMs += answer.tookMs
      if (answer.kind === 'silence') return { ...answer, tookMs }
      firstHeadMs ??= answer.headAtMs
      const next = redirectOf(answer, at)
      if (!next || hops === REDIRECTS_MAX) return { ...answer, url: at, headAtMs: firstHeadMs, tookMs }
      // 307 and 308 keep the method. After any other redirect a GET follows, as in every browser.
      if (answer.status < 307) isPost = false
      at = next
    }
  }

  /** Pictures and stylesheets: requested, but not read. */
  asset(url: URL, isStyle: boolean): Promise<Answer | Silence> {
    const headers = {
      Accept: isStyle ? 'text/css,*/*;q=0.1' : 'image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8',
      'Sec-Fetch-Dest': isStyle ? 'style' : 'image',
      'Sec-Fetch-Mode': 'no-cors',
      'Sec-Fetch-Site': 'same-origin',
    }
    return this.#send({ url, method: 'GET', headers, ignoreBody: true })
  }

  /** The request of the waiting page's script. */
  poll(url: URL): Promise<Answer | Silence> {
    const headers = {
      Accept: 'application/json',
      'Sec-Fetch-Dest': 'empty',
      'Sec-Fetch-Mode': 'cors',
      'Sec-Fetch-Site': 'same-origin',
    }
    return this.#send({ url, method: 'GET', headers })
  }

  /** The request with which the page of the room sends the solution of its challenge. */
  solution(url: URL, solution: object): Promise<Answer | Silence> {
    const body = JSON.stringify(solution)
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'text/plain;charset=UTF-8',
      'Content-Length': `${Buffer.byteLength(body)}`,
      Origin: url.origin,
      'Sec-Fetch-Dest': 'empty',
      'Sec-Fetch-Mode': 'cors',
      'Sec-Fetch-Site': 'same-origin',
    }
    return this.#send({ url, method: 'POST', headers, body })
  }

  #navigate(url: URL, form: Readonly<Record<string, string>> | undefined): Promise<Answer | Silence> {
    const headers = {
      Accept: PAGE_ACCEPT,
      'Sec-Fetch-Dest': 'document',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Site': 'none',
      'Sec-Fetch-User': '?1',
      'Upgrade-Insecure-Requests': '1',
    }
    if (form === undefined) return this.#send({ url, method: 'GET', headers })
    const body = new URLSearchParams(form).toString()
    const formHeaders = {
      ...headers,
      'Sec-Fetch-Site': 'same-origin',
      Origin: url.origin,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': `${Buffer.byteLength(body)}`,
    }
    return this.#send({ url, method: 'POST', headers: formHeaders, body })
  }

  async #send(ask: Parameters<Connections['send']>[0]): Promise<Answer | Silence> {
    const cookie = this.#jar.header(ask.url.origin)
    const headers = {
      ...ask.headers,
      'User-Agent': USER_AGENT,
      'Accept-Language': 'en',
      'X-Crowd-Visitor': this.#visitor,
      ...(this.#address !== null && { 'X-Crowd-Address': this.#address }),
      ...(cookie !== null && { Cookie: cookie }),
    }
    const answer = await this.#connections.send({ ...ask, headers })
    if (answer.kind === 'answer') this.#jar.keep(ask.url.origin, answer.headers['set-cookie'] ?? [], Date.now())
    return answer
  }
}

function redirectOf({ status, headers }: Answer, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(status) || !headers.location) return null
  const url = URL.parse(headers.location, from.href)
  return url && /^https?:$/.test(url.protocol) ? url : null
}
