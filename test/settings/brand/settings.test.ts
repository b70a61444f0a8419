import { describe, expect, it } from 'vitest'
import { adviceOn } from '../../../src/settings/advice.ts'
import { withoutPages } from '../../../src/settings/custom-page.ts'
import { SettingsError } from '../../../src/settings/messages.ts'
import { parseRooms } from '../../../src/settings/rooms.ts'

const shop = {
  name: 'shop',
  host: 'shop.example',
  total_active_users: 100,
  new_users_per_minute: 60,
  bypass: [{ path: '/assets/*' }],
}
const svg = (inside: string) => `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="x">${inside}</svg>`)}`
const PNG = `data:image/png;base64,${btoa('picture')}`

function problemsWith(brand: object, more: object = {}): string[] {
  try {
    parseRooms([{ ...shop, ...more, brand }])
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path.replace('rooms[0].brand.', '')} ${message}`)
  }
}

const adviceOnBrand = (brand: object) =>
  adviceOn(parseRooms([{ ...shop, brand }]), 0).filter(text => text.includes('brand.'))

describe('a brand', () => {
  it('has a name, pictures, colours, a font, links and a text', () => {
    const brand = {
      name: 'Tea & Biscuits',
      logo: svg('<path d="M0 0h9"/>'),
      logo_dark: '/assets/dark.svg',
      icon: '/favicon.ico',
      image: '/assets/share.png',
      accent: '#b3261e',
      background_dark: '#123',
      font: 'serif',
      home_url: 'https://tea.example/',
      help_url: 'tel:+34900000000',
      privacy_url: '/assets/privacy.html',
      help_text: { es: 'Llame.', en: 'Call us.' },
    }
    expect(parseRooms([{ ...shop, brand }])[0]?.brand).toMatchObject(brand)
    expect(adviceOnBrand(brand)).toEqual([])
  })

  it.each([
    [{ accent: 'red' }, 'accent must be a colour like #2c6e60, got "red"'],
    [{ background: '#808080' }, 'background must leave text a contrast of 7:1 at least, got "#808080" with 5.3:1'],
    [{ home_url: 'javascript:alert(1)' }, 'home_url must be a path or an address like https://shop.example/, got'],
    [{ help_url: '//elsewhere.example' }, 'help_url must be a path, or an https, mailto or tel address, got'],
    [{ name: 'n'.repeat(61) }, 'name must be text, up to 60 characters, got'],
    [{ font: 'comic' }, 'font must be "system" or "serif" or "rounded" or "mono", got "comic"'],
    [{ image: PNG }, 'image must be a path like /share.png, got'],
    [{ colour: '#fff' }, 'colour is not a setting'],
  ])('is refused with %j', (brand, message) => {
    const [problem, ...others] = problemsWith(brand)
    expect(problem?.slice(0, message.length)).toBe(message)
    expect(others).toEqual([])
  })

  it.each([
    ['https://elsewhere.example/logo.png', 'must be a path like /logo.svg or a data URI like'],
    ['data:text/html,<b>', 'must be a path like /logo.svg or a data URI like'],
    [`data:image/png;base64,${'a'.repeat(24_576)}`, 'must be at most 24,576 characters, got 24,598'],
    [svg('<script>alert(1)</script>'), 'must only draw: it contains <script>'],
    [svg('<g><foreignObject/></g>'), 'must only draw: it contains <foreignObject>'],
    [svg('<svg:script/>'), 'must only draw: it contains <script>'],
    [svg('<rect onload="x()"/>'), 'must only draw: it contains the attribute onload'],
    [svg('<rect/onload=x()>'), 'must only draw: it contains the attribute onload'],
    [svg('<use xlink:href="https://a.example/b"/>'), 'must refer to nothing outside itself: it contains the attribute'],
    [svg('<image href=//a.example/b>'), 'must refer to nothing outside itself: it contains the attribute href'],
    [svg('<rect fill="url(https://a.example)"/>'), 'must refer to nothing outside itself: it contains url(...)'],
    [svg('<a href="&#106;avascript:x"/>'), 'must contain no numeric character references'],
    [`data:image/svg+xml;base64,${btoa('<!DOCTYPE svg><svg>')}`, 'must contain no <!DOCTYPE>'],
    [`data:image/svg+xml;base64,${btoa('\xff\xfe')}`, 'must be a data URI whose content can be decoded'],
    ['data:image/svg+xml,%3Csvg >', 'must be a data URI without spaces'],
    ['data:image/svg+xml,%3Cp%3E', 'must contain an <svg>'],
  ])('is refused with the logo %s', (logo, message) => {
    const [problem, ...others] = problemsWith({ logo })
    expect(problem?.slice(5, message.length + 5)).toBe(message)
    expect(others).toEqual([])
  })

  it.each([svg('<use href="#a"/><rect fill="url(#b)"/>'), PNG])('may have the logo %s', logo => {
    expect(problemsWith({ logo })).toEqual([])
  })

  it('loads pictures only where a visitor in line gets them', () => {
    const message = 'logo must be under a bypass rule, or visitors in line cannot load it, got "/logo.svg"'
    expect(problemsWith({ logo: '/logo.svg' })).toEqual([message])
    expect(problemsWith({ logo: '/logo.svg' }, { path: '/checkout' })).toEqual([])
    expect(problemsWith({ icon: '/favicon.ico' }, { well_known: 'queue' })).toHaveLength(1)
    const ofStaff = [{ path: '/logo.svg', cidr: ['192.0.2.0/24'] }]
    expect(problemsWith({ logo: '/logo.svg' }, { bypass: ofStaff })).toEqual([message])
  })

  it('gives advice on an accent that is too weak, and on a link that leads back to the line', () => {
    expect(adviceOnBrand({ accent: '#ffe066', help_url: '/help' })).toEqual([
      expect.stringMatching(
        /brand\.accent #ffe066 has a contrast of 1\.2:1 on #f8f7f3, and buttons need 3:1: the pages show #\w{6}$/,
      ),
      expect.stringContaining('brand.help_url is under no bypass rule'),
    ])
  })

  it('appears in the list of changes without its long pictures', () => {
    const { set } = withoutPages({ set: { brand: { logo: PNG + 'A'.repeat(200) } } }) as { set: typeof shop & object }
    expect(JSON.stringify(set)).toMatch(/data:image\/png;base64,[\w=]+\.\.\. \(\d+ bytes\)/)
  })
})
