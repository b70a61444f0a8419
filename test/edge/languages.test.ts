import { afterEach, describe, expect, it } from 'vitest'
import { languageOf } from '../../src/edge/texts/catalog.ts'
import { newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

/** A newcomer whose browser prefers these languages. */
const page = (accepts: string, path = '/', host = 'tongues.test') =>
  new Visitor(host, newEdge()).page(path, { headers: { 'Accept-Language': accepts } })

describe('the language of a page', () => {
  it('is the language of the room that the visitor prefers most', async () => {
    const { text, response } = await page('fr-FR, ca-ES-valencia;q=0.8, en;q=0.5')
    expect(text).toContain('<html lang="ca" dir="ltr">')
    expect(response.headers.get('Content-Language')).toBe('ca')
    expect(response.headers.get('Vary')).toMatch(/\bAccept-Language\b/)
  })

  it('is the first of the room for a visitor of no other, and English without any', async () => {
    expect((await page('ja')).text).toContain('<html lang="es"')
    expect((await page('tlh', '/', 'held.test')).text).toContain('<html lang="en"')
  })

  it('is the language in the address, if there is one, also in the polls', async () => {
    const { text } = await page('es', '/?lang=en-GB')
    expect(text).toContain('<html lang="en"')
    expect(text).toMatch(/data-status="[^"]*&amp;claim&#x3D;1&amp;lang&#x3D;en"/)
    expect((await page('es', '/?lang=%27%3E%3Cb%3E')).text).toContain('<html lang="es"')
  })

  it('has the other words of the room', async () => {
    const { text } = await page('ca')
    expect(text).toContain('Sou a la cua del festival</h1>')
    expect(text).toContain('"headline":"Sou a la cua del festival"')
  })

  it('has the texts of the script in one language only', async () => {
    const { text } = await page('de', '/', 'held.test')
    expect(text).toContain('Lassen Sie diese Seite')
    expect(text).not.toMatch(/Keep this page|Mantenga/)
  })
})

describe('a moment', () => {
  const noon = Date.UTC(2026, 10, 27, 12)

  it('is in the time zone of the visitor, and in UTC where that is unknown', () => {
    const spanish = languageOf('es')
    expect(spanish.moment(noon, 'Europe/Madrid')).toMatch(/27\/11\/2026, 13:00/)
    expect(spanish.moment(noon, 'UTC')).toMatch(/27\/11\/2026, 12:00/)
    expect(spanish.moment(noon, 'Mars/Olympus')).toBe(spanish.moment(noon, 'UTC'))
  })
})

describe('a message', () => {
  it('is in the language of the page, or is marked with its own language', async () => {
    expect((await page('en')).text).toMatch(/lang="en" dir="auto">We open at 10\.</)
    expect((await page('ca')).text).toMatch(/lang="es" dir="auto">Abrimos a las 10\.</)
  })

  it('of a room without languages is in an unknown one', async () => {
    expect((await page('es', '/', 'held.test')).text).toMatch(/lang="" dir="auto">Back at noon\.</)
  })
})

describe('an answer to a program', () => {
  it('has the words of its language, and the message with its own', async () => {
    const visitor = new Visitor('tongues.test', newEdge())
    const { response, text } = await visitor.data('/', { headers: { 'Accept-Language': 'ca' } })
    expect(response.headers.get('Content-Language')).toBe('ca')
    expect(JSON.parse(text)).toMatchObject({
      cfWaitingRoom: { waitTimeFormatted: 'no disponible' },
      message: 'Abrimos a las 10.',
      messageLanguage: 'es',
    })
  })
})
