/**
 * A WebSocket that echoes what it receives (RFC 6455): whole text and binary frames, ping, pong and close. It has no
 * extensions and no fragments. It is an endpoint for testing proxies.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Bounds what one connection can hold in memory. */
const FRAME_BYTES_MAX = 65_535

const CONTINUATION = 0x0
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

const PROTOCOL_ERROR = 1002
const UNSUPPORTED = 1003
const TOO_BIG = 1009

interface Frame {
  readonly opcode: number
  readonly isWhole: boolean
  readonly payload: Buffer
}

type Parsed = { kind: 'frame'; frame: Frame; rest: Buffer } | { kind: 'incomplete' } | { kind: 'broken'; code: number }

/** Answers an upgrade. `headers` are added to the 101. */
export function echoSocket(request: IncomingMessage, socket: Duplex, head: Buffer, headers: readonly string[]): void {
  const key = request.headers['sec-websocket-key']
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || !key) {
    socket.end(['HTTP/1.1 400 Bad Request', ...headers, 'Connection: close', '', ''].join('\r\n'))
    return
  }
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, ...headers, '', ''].join('\r\n'))
  let buffered = Buffer.alloc(0)
  const hear = (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk])
    while (socket.writable) {
      const parsed = parseFrame(buffered)
      if (parsed.kind === 'incomplete') return
      if (parsed.kind === 'broken') return closeWith(socket, parsed.code)
      buffered = Buffer.from(parsed.rest)
      answer(socket, parsed.frame)
    }
  }
  socket.on('data', hear)
  socket.on('error', () => socket.destroy())
  if (head.length > 0) hear(head)
}

function answer(socket: Duplex, { opcode, isWhole, payload }: Frame): void {
  if (opcode === CLOSE) socket.end(frameOf(CLOSE, payload.subarray(0, 2)))
  else if (opcode === PING) socket.write(frameOf(PONG, payload))
  else if (opcode === PONG) return
  else if (opcode === CONTINUATION || !isWhole) closeWith(socket, UNSUPPORTED)
  else socket.write(frameOf(opcode, payload))
}

function closeWith(socket: Duplex, code: number): void {
  const reason = Buffer.alloc(2)
  reason.writeUInt16BE(code)
  socket.end(frameOf(CLOSE, reason))
}

/** Parses the first frame of the bytes and unmasks it (RFC 6455 section 5.2). */
function parseFrame(bytes: Buffer): Parsed {
  if (bytes.length < 2) return { kind: 'incomplete' }
  const [first = 0, second = 0] = bytes
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) return { kind: 'broken', code: PROTOCOL_ERROR }
  const short = second & 0x7f
  if (short === 127) return { kind: 'broken', code: TOO_BIG }
  const maskAt = short === 126 ? 4 : 2
  if (bytes.length < maskAt + 4) return { kind: 'incomplete' }
  const length = short === 126 ? bytes.readUInt16BE(2) : short
  if (length > FRAME_BYTES_MAX) return { kind: 'broken', code: TOO_BIG }
  const from = maskAt + 4
  if (bytes.length < from + length) return { kind: 'incomplete' }
  const payload = Buffer.from(bytes.subarray(from, from + length))
  for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (bytes[maskAt + (i & 3)] ?? 0)
  const frame = { opcode: first & 0x0f, isWhole: (first & 0x80) !== 0, payload }
  return { kind: 'frame', frame, rest: bytes.subarray(from + length) }
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload])
  const head = Buffer.from([0x80 | opcode, 126, 0, 0])
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}
