/** The origin: records each request exactly as it came, and answers with the number of that request. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fieldOf, type Head, type Header, readContent, readHead, valuesOf } from './wire.ts'

/** Only the origin sends this header, so an answer with it comes from the origin. */
export const FROM_ORIGIN = 'x-fuzz-origin'

export interface Arrival {
  /** The number of the request, from its query or its header; null for a request without one. */
  readonly id: string | null
  readonly method: string
  readonly target: string
  readonly headers: readonly Header[]
  /** The head as text, for reports. */
  readonly text: string
  /** Null until the whole body has come. */
  body: Buffer | null
}

export interface RecordingOrigin {
  readonly url: string
  /** Returns what has arrived since the last call. */
  take(): readonly Arrival[]
  stop(): Promise<void>
}

export async function startRecordingOrigin(): Promise<RecordingOrigin> {
  let arrivals: Arrival[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    receive(socket, arrival => arrivals.push(arrival))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = arrivals
      arrivals = []
      return taken
    },
    stop: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

/** Reads one request after another. A request counts once its head is complete, because its body may never come. */
function receive(socket: Socket, arrived: (arrival: Arrival) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  let open: { head: Head; arrival: Arrival } | null = null
  socket.on('data', chunk => {
    bytes = Buffer.concat([bytes, chunk])
    for (;;) {
      if (!open) {
        const head = readHead(bytes)
        if (!head) return
        open = { head, arrival: arrivalOf(head, bytes) }
        arrived(open.arrival)
      }
      const content = readContent(bytes, open.head)
      if (!content) return
      open.arrival.body = content.body
      answer(socket, open.arrival)
      bytes = bytes.subarray(content.end)
      open = null
    }
  })
}

function arrivalOf(head: Head, bytes: Buffer): Arrival {
  const [method = '', target = ''] = head.startLine.split(' ')
  const id =
    /[?&]fz=(\d{7})/.exec(target)?.[1] ??
    fieldOf(head.headers, 'x-fuzz') ??
    /x-fuzz-(\d{7})/.exec(fieldOf(head.headers, 'access-control-request-headers') ?? '')?.[1] ??
    null
  return { id, method, target, headers: head.headers, text: bytes.toString('latin1', 0, head.end), body: null }
}

function answer(socket: Socket, { id, method, headers }: Arrival): void {
  const body = method === 'HEAD' ? '' : 'carried out'
  const closes = valuesOf(headers, 'connection').some(value => /\bclose\b/i.test(value))
  const lines = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain',
    'Content-Length: 11',
    `X-Fuzz-Origin: ${id ?? 'nobody'}`,
    ...(closes ? ['Connection: close'] : []),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  if (closes) socket.end()
}
