import { afterEach, describe, expect, it } from 'vitest'
import { newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

const page = (host: string, language = 'en') =>
  new Visitor(host, newEdge()).page('/', { headers: { 'Accept-Language': language } })

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
}

describe('the brand of a room', () => {
  it('is on its pages: the name, the logo, the icon and the links', async () => {
    const { text } = await page('branded.test', 'es')
    expect(text).toMatch(/<title>[^<]+ - Tea &amp; Biscuits<\/title>/)
    expect(text).toContain('<link rel="icon" href="&#x2F;assets&#x2F;icon.png">')
    expect(text).toContain('<meta property="og:title" content="Tea &amp; Biscuits">')
    expect(text).toContain(
      '<meta property="og:image" content="https:&#x2F;&#x2F;branded.test&#x2F;assets&#x2F;share.png">',
    )
    expect(text).toMatch(/<a href="https:&#x2F;&#x2F;tea\.example&#x2F;">\s*<picture><img src="data:[^"]+" alt="Tea/)
    expect(text).toMatch(/lang="es" dir="auto">Llame\.</)
    expect(text).toMatch(/<a href="tel:900">Ayuda<\/a>/)
    expect(text).not.toContain('Privacidad')
  })

  it('has styles that the policy of its pages allows', async () => {
    const { text, response } = await page('branded.test')
    const policy = response.headers.get('Content-Security-Policy') ?? ''
    const styles = [...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => style ?? '')
    expect(styles).toHaveLength(3)
    const own = styles.find(style => style.includes('--on-accent:#')) ?? ''
    expect(own).toContain('--accent:#b3261e;--on-accent:#ffffff')
    expect(own).toContain('body{font-family:ui-serif')
    for (const style of styles) expect(policy).toContain(await hashOf(style))
    expect(policy).toContain("img-src data: 'self'")
  })

  it('changes nothing in a room without one', async () => {
    const { text, response } = await page('held.test')
    expect(text).toMatch(/<p class="soft">\s*held\.test\s*<\/p>/)
    expect(text).toContain('<link rel="icon" href="data:,">')
    expect(text).not.toMatch(/og:|<style>[^<]*<\/style>\s*<style>/)
    expect(response.headers.get('Content-Security-Policy')).toContain('img-src data:;')
  })
})
