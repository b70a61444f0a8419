/** The client. It has one connection, sends one request at a time, and changes no byte. */
import { connect, type Socket } from 'node:net'
import { fieldOf, type Header, readContent, readHead, valuesOf } from './wire.ts'

export type Answer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: readonly Header[]
      readonly body: string
      /** Bytes after the answer that belong to no request. */
      readonly surplus: string
    }
  /** The server closed the connection. `text` is the part that it had sent until then. */
  | { readonly kind: 'closed'; readonly text: string }
  /** The answer, or a part of it, did not come in time. */
  | { readonly kind: 'silent'; readonly text: string }

export interface Ask {
  readonly bytes: Buffer
  /** The answer to HEAD has no body, whatever its headers announce. */
  readonly isHead: boolean
  /** Closes the connection after this request, because the server may have seen the end of it elsewhere. */
  readonly isLast: boolean
  readonly withinMs: number
}

export class Connection {
  readonly #port: number
  readonly #address: string
  #socket: Socket | null = null

  constructor(port: number, address: string) {
    this.#port = port
    this.#address = address
  }

  async ask(ask: Ask): Promise<Answer> {
    // A server may close an idle connection at the very moment when it is used again.
    if (this.#socket?.destroyed) this.#socket = null
    const isReused = this.#socket !== null
    const answer = await this.#askOnce(ask)
    return isReused && answer.kind === 'closed' && answer.text === '' ? this.#askOnce(ask) : answer
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #askOnce(ask: Ask): Promise<Answer> {
    const socket = this.#socket ?? this.#open()
    return new Promise(resolve => {
      let bytes: Buffer = Buffer.alloc(0)
      const end = (answer: Answer) => {
        clearTimeout(timer)
        socket.removeAllListeners('data').removeAllListeners('close')
        const isKept = answer.kind === 'answer' && !ask.isLast && answer.surplus === '' && staysOpen(answer.headers)
        if (!isKept) this.close()
        resolve(answer)
      }
      const timer = setTimeout(() => end({ kind: 'silent', text: bytes.toString('latin1') }), ask.withinMs)
      socket.on('data', chunk => {
        bytes = Buffer.concat([bytes, chunk])
        const answer = readAnswer(bytes, ask.isHead)
        if (answer) end(answer)
      })
      socket.on('close', () => end({ kind: 'closed', text: bytes.toString('latin1') }))
      socket.write(ask.bytes)
    })
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress: this.#address, noDelay: true })
    // The reason does not matter: the connection is closed.
    socket.on('error', () => undefined)
    this.#socket = socket
    return socket
  }
}

/** Returns the final answer, or null while it is incomplete. Skips answers with 1xx before it, except 101. */
function readAnswer(bytes: Buffer, isHead: boolean): Answer | null {
  const head = readHead(bytes)
  if (!head) return null
  const status = Number(head.startLine.split(' ')[1])
  if (status >= 100 && status < 200 && status !== 101) return readAnswer(bytes.subarray(head.end), isHead)
  const isBare = isHead || status === 101 || status === 204 || status === 304
  const content = isBare ? { body: Buffer.alloc(0), end: head.end } : readContent(bytes, head)
  if (!content) return null
  return {
    kind: 'answer',
    status,
    headers: head.headers,
    body: content.body.toString('utf8'),
    surplus: bytes.toString('latin1', content.end),
  }
}

function staysOpen(headers: readonly Header[]): boolean {
  return (
    !valuesOf(headers, 'connection').some(value => /close|upgrade/i.test(value)) && fieldOf(headers, 'upgrade') === null
  )
}
