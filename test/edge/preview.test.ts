import { afterEach, describe, expect, it } from 'vitest'
import { PREVIEW_PAGES } from '../../src/edge/pages/preview.ts'
import { newEdge, send, settled } from '../support/workerd/visitor.ts'

const BEARER = { Authorization: 'Bearer the-admin-token-of-the-test-rooms' }
const ROOT = 'https://admin.test/.waiting-room'

afterEach(settled)

const ask = (path: string, init: RequestInit = { headers: BEARER }) =>
  send(newEdge(), new Request(`${ROOT}${path}`, { ...init, headers: { 'Accept-Language': 'en', ...init.headers } }))
const page = (name: string, more = '', init?: RequestInit) =>
  ask(`/preview?room=branded&page=${name}${more}`, init).then(({ text }) => text)

describe('the preview', () => {
  it('has every page with the brand of the room, without scripts and reloads', async () => {
    const edge = newEdge()
    const headlines = new Set<string>()
    for (const name of PREVIEW_PAGES) {
      const request = new Request(`${ROOT}/preview?room=branded&page=${name}&lang=en`, { headers: BEARER })
      const { text, status } = await send(edge, request)
      expect([name, status]).toEqual([name, 200])
      expect(text, name).toMatch(/<title>[^<]+ - Tea &amp; Biscuits<\/title>/)
      expect(text, name).toContain('--accent:#b3261e')
      expect(text, name).toMatch(/<main[^>]*>.*<h1[^>]*>[^<]+<\/h1>/s)
      expect(text, name).not.toMatch(/\{\{|<script|http-equiv|undefined|NaN/)
      headlines.add(/<main.*<\/main>/s.exec(text)?.[0] ?? '')
    }
    expect(headlines.size).toBe(PREVIEW_PAGES.length)
  })

  it('has each of them on one page, with links that keep the language, the colours and the key', async () => {
    const { text } = await ask('/preview?room=branded&lang=es&scheme=dark')
    for (const name of PREVIEW_PAGES) expect(text).toContain(`title="${name}"`)
    expect(text).toContain('src="?room&#x3D;branded&amp;page&#x3D;outage&amp;lang&#x3D;es&amp;scheme&#x3D;dark"')
  })

  it('is in the language and the colours that are asked for', async () => {
    expect(await page('waiting', '&lang=eu')).toContain('<html lang="eu"')
    expect(await page('waiting', '&scheme=dark')).toMatch(/content="dark">.*@media all\{:root\{--paper:#15181a/s)
    expect(await page('waiting', '&scheme=light')).toContain('@media not all{:root{--paper:#15181a')
  })

  it('tries settings that are sent, and refuses bad ones with their path', async () => {
    const post = (settings: object) => ({ method: 'POST', headers: BEARER, body: JSON.stringify(settings) })
    const text = await page('waiting', '', post({ message: 'Only a draft.', brand: { name: 'Draft' } }))
    expect(text).toContain('Only a draft.')
    expect(text).toContain(' - Draft</title>')
    expect(await page('waiting')).not.toContain('Only a draft.')
    const bad = await ask('/preview?room=branded&page=waiting', post({ brand: { accent: 'red' } }))
    expect([bad.status, JSON.parse(bad.text).detail]).toEqual([
      422,
      'brand.accent must be a colour like #2c6e60, got "red"',
    ])
  })

  it('shows a page of the operator, on which nothing can run', async () => {
    const custom_page_html = '<script>steal()</script><h1>{{position}} of ours</h1>'
    const init = { method: 'POST', headers: BEARER, body: JSON.stringify({ custom_page_html }) }
    const { text, response } = await ask('/preview?room=branded&page=waiting', init)
    expect(text).toContain('<h1>42 of ours</h1>')
    expect(response.headers.get('Content-Security-Policy')).toMatch(/^sandbox allow-popups;/)
  })

  it('names the valid values when it is asked for another one', async () => {
    const detail = async (query: string) => JSON.parse((await ask(`/preview?${query}`)).text).detail
    expect(await detail('room=nowhere')).toMatch(/^room must be one of wide, .*, got nowhere$/)
    expect(await detail('page=x')).toMatch(/^page must be one of waiting, new, called, .*, got x$/)
    expect(await detail('scheme=grey')).toBe('scheme must be one of light, dark, got grey')
  })
})

describe('access to the preview', () => {
  it('needs the token, or the key of a link', async () => {
    expect((await ask('/preview?page=waiting', {})).status).toBe(401)
    const { text } = await ask('/api/v1/preview-links', { method: 'POST', headers: BEARER })
    const { url } = JSON.parse(text) as { url: string }
    const link = url.replace('/.waiting-room', '')
    expect((await ask(`${link}&page=waiting`, {})).status).toBe(200)
    for (const forged of [link.replace(/\.(.)/, (_, first) => `.${first === 'A' ? 'B' : 'A'}`), `${link}A`]) {
      expect((await ask(`${forged}&page=waiting`, {})).status).toBe(401)
    }
    const later = link.replace(/key=(\d+)/, (_, until) => `key=${Number(until) + 1}`)
    expect((await ask(`${later}&page=waiting`, {})).status).toBe(401)
  })

  it('is on the admin host only', async () => {
    const request = new Request('https://branded.test/.waiting-room/preview', { headers: BEARER })
    expect((await send(newEdge(), request)).status).toBe(404)
  })
})
