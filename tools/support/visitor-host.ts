/**
 * A proxy to an origin that must see the visitor's Host, for `npm start` only. The runtime under wrangler gives every
 * request the Host of its target address, and passes the visitor's host in X-Forwarded-Host. Plain workerd needs no
 * such proxy.
 */
import { createServer, type IncomingMessage, request } from 'node:http'
import { type RequestOptions, request as requestTls } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Way {
  readonly url: string
  stop(): Promise<void>
}

/** Listens on a free port of this machine. */
export async function wayTo(origin: string): Promise<Way> {
  const target = new URL(origin)
  const ask = (incoming: IncomingMessage) => {
    const host = String(incoming.headers['x-forwarded-host'] ?? target.host)
    const options: RequestOptions = {
      host: target.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: target.port,
      servername: target.hostname,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, host },
      setHost: false,
    }
    return target.protocol === 'https:' ? requestTls(options) : request(options)
  }
  const server = createServer((incoming, answer) => {
    const outgoing = ask(incoming)
    outgoing.once('response', response => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
      response.pipe(answer)
    })
    outgoing.once('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
    answer.once('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  server.on('upgrade', (incoming, socket, head) => {
    const outgoing = ask(incoming)
    outgoing.once('upgrade', (response, upstream, upstreamHead) => {
      const lines = response.rawHeaders.flatMap((text, i, all) => (i % 2 === 0 ? [`${text}: ${all[i + 1]}`] : []))
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      socket.write(upstreamHead)
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const)
        one.once('error', () => other.destroy())
    })
    outgoing.once('response', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n'))
    outgoing.once('error', () => socket.destroy())
    outgoing.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
