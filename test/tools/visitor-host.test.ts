import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type Way, wayTo } from '../../tools/support/visitor-host.ts'

let origin: Server
let way: Way

beforeAll(async () => {
  origin = createServer((incoming, answer) => {
    answer.setHeader('X-Host', incoming.headers.host ?? '')
    incoming.pipe(answer)
  })
  new WebSocketServer({ server: origin }).on('connection', (socket, { headers }) => {
    socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `${headers.host} ${data}`))
  })
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  way = await wayTo(`http://127.0.0.1:${(origin.address() as AddressInfo).port}`)
})

afterAll(async () => {
  await way.stop()
  origin.closeAllConnections()
  origin.close()
})

it('a way to the origin keeps the Host of the visitor, and passes bodies both ways', async () => {
  const body = 'tea '.repeat(100_000)
  const response = await fetch(way.url, { method: 'POST', body, headers: { 'X-Forwarded-Host': 'shop.example' } })
  expect(response.headers.get('X-Host')).toBe('shop.example')
  expect(await response.text()).toBe(body)
})

it('a way to the origin passes on the first part of an answer before the rest', async () => {
  const upload = request(way.url, { method: 'POST', headers: { 'X-Forwarded-Host': 'shop.example' } })
  upload.write('first')
  const [response] = await once(upload, 'response')
  expect(String((await once(response, 'data'))[0])).toBe('first')
  upload.end()
  response.resume()
  await once(response, 'end')
})

it('a way to the origin passes a WebSocket', async () => {
  const socket = new WebSocket(way.url.replace('http', 'ws'), { headers: { 'X-Forwarded-Host': 'shop.example' } })
  await once(socket, 'open')
  socket.send('hello')
  expect(String((await once(socket, 'message'))[0])).toBe('shop.example hello')
  const bytes = Buffer.alloc(100_000, 7)
  socket.send(bytes)
  expect((await once(socket, 'message'))[0]).toEqual(bytes)
  socket.close()
  await once(socket, 'close')
})

it('a way to the origin answers 502 if the origin is not there', async () => {
  const nowhere = await wayTo('http://127.0.0.1:1')
  expect((await fetch(nowhere.url)).status).toBe(502)
  await nowhere.stop()
})
