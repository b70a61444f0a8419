import { describe, expect, it } from 'vitest'
import { LANGUAGE_TAGS } from '../../../src/settings/texts/languages.ts'
import { newEdge, Visitor } from '../../support/workerd/visitor.ts'

const KILOBYTE = 1_024

async function gzipped(text: string): Promise<number> {
  const body = new Response(text).body?.pipeThrough(new CompressionStream('gzip'))
  return (await new Response(body).arrayBuffer()).byteLength
}

describe('the script for sites', () => {
  it.each(['client.js', 'client.mjs'])('has the facts of its room, in the language of the visitor: %s', async name => {
    const visitor = new Visitor('held.test', newEdge())
    const { response, text } = await visitor.send(`/.waiting-room/${name}?room=held`, {
      headers: { 'Accept-Language': 'es' },
    })
    expect(response.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=600')
    expect([response.headers.get('Content-Language'), response.headers.get('Vary')]).toEqual(['es', 'Accept-Language'])
    expect(response.headers.has('Set-Cookie')).toBe(false)
    expect(text).toContain('"prefix":"/.waiting-room","room":"held","lang":"es","dir":"ltr"')
    expect(text).toContain('Su visita terminar')
    expect(text.match(/^export .*?=/gm)).toEqual(name === 'client.mjs' ? ['export const guard ='] : null)
  })

  it('has at most 3 KB compressed, in every language', async () => {
    const visitor = new Visitor('held.test', newEdge())
    const sizes = await Promise.all(
      LANGUAGE_TAGS.flatMap(tag =>
        ['client.js', 'client.mjs'].map(async name => {
          const { text } = await visitor.send(`/.waiting-room/${name}?room=held&lang=${tag}`)
          return gzipped(text)
        }),
      ),
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3 * KILOBYTE)
  })

  it('has its types beside it, with the address of the module', async () => {
    const visitor = new Visitor('held.test', newEdge())
    const { response, text } = await visitor.send('/.waiting-room/client.d.ts?room=held')
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect([response.headers.get('Waiting-Room-State'), response.headers.has('Set-Cookie')]).toEqual(['control', false])
    expect(text).toContain("declare module '*/client.mjs?room=held' {")
  })

  it('is not there for a room that does not exist', async () => {
    const { status } = await new Visitor('held.test', newEdge()).send('/.waiting-room/client.js?room=nothing')
    expect(status).toBe(404)
  })
})

describe('the poll of a visitor with a session', () => {
  it('has the end of the session, and a request to the page for waiting moves it', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    const session = async () => JSON.parse((await visitor.poll()).text).session
    const first = await session()
    expect(first.renewable).toBe(true)
    expect(first.endsInSeconds).toBeGreaterThan(50)
    expect(first.endsInSeconds).toBeLessThan(60)
    const { status, response } = await visitor.data('/.waiting-room/wait?room=wide')
    expect([status, response.headers.get('Waiting-Room-State')]).toEqual([303, 'redirect'])
    expect((await session()).endsInSeconds).toBeGreaterThan(300)
  })

  it('has no session for a visitor without a pass', async () => {
    const { place, text } = await new Visitor('wide.test', newEdge()).poll()
    expect([place.state, JSON.parse(text).session]).toEqual(['none', null])
  })
})

describe('the page for waiting in a frame', () => {
  it('is the page of the line for a visitor in line', async () => {
    const { status, text } = await new Visitor('held.test', newEdge()).page('/.waiting-room/wait?room=held&embedded=1')
    expect([status, text.includes('You are in line')]).toEqual([503, true])
  })

  it('is an empty page for a visitor inside, which reaches no origin', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    const { status, response, text, atOrigin } = await visitor.page('/.waiting-room/wait?room=wide&embedded=1')
    expect([status, response.headers.get('Waiting-Room-State'), atOrigin]).toEqual([200, 'admitted', null])
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(response.headers.get('Cache-Control')).toContain('no-store')
    expect(text).toBe('<!doctype html><html lang="en" data-state="admitted"><title>It is your turn</title></html>')
    expect(visitor.jar.size).toBe(1)
  })

  it('leads to an empty page in the frame, also where its visitor is asked first', async () => {
    const visitor = new Visitor('asking.test', newEdge())
    const path = '/.waiting-room/wait?room=asking&embedded=1'
    const { text } = await visitor.page(path)
    const [, press = ''] = /data-asks="([^"]*)"/.exec(text) ?? []
    expect(press.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')).toContain('room=asking&embedded=1&enter=1&to=')
  })
})
