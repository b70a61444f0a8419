import { describe, expect, it } from 'vitest'
import { withLinks } from '../../../src/edge/pages/links.ts'

const link = (href: string, text = href) =>
  `<a href="${href.replaceAll('/', '&#x2F;')}" target="_blank" rel="noopener noreferrer">${text.replaceAll('/', '&#x2F;')}</a>`

describe('a text of the operator', () => {
  it.each([
    ['See https://shop.example/help.', `See ${link('https://shop.example/help')}.`],
    ['Call tel:+34900123456!', `Call ${link('tel:+34900123456', '+34900123456')}!`],
    ['(https://a.example/b_c), <b>', `(${link('https://a.example/b_c')}), &lt;b&gt;`],
    ['http://a.example javascript:alert(1)', 'http:&#x2F;&#x2F;a.example javascript:alert(1)'],
    ['https://a.example/"onclick="x', `${link('https://a.example/')}&quot;onclick&#x3D;&quot;x`],
    ['Two loaves & a roll', 'Two loaves &amp; a roll'],
  ])('%s has only safe links', (text, html) => {
    expect(withLinks(text)).toBe(html)
  })
})
