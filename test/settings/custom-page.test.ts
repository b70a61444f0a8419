import { describe, expect, it } from 'vitest'
import { adviceOn } from '../../src/settings/advice.ts'
import { withoutPages, withoutReload } from '../../src/settings/custom-page.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

const sale = { name: 'sale', event_start_time: '2026-11-27T09:00:00Z', event_end_time: '2026-11-27T12:00:00Z' }

function problemsWith(more: object): string[] {
  try {
    parseRooms([{ name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60, ...more }])
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

const at = 'rooms[0].custom_page_html'
const template = `${at} must be a Mustache template:`
const BAD: [name: string, page: unknown, message: string][] = [
  ['no text', 5, `${at} must be text`],
  [
    'a section that is not closed',
    '<h1>\n{{#a}}{{/a}}\n{{#waitTimeKnown}}\n{{#a}}{{/a}}\n</h1>\n',
    `${template} the section "waitTimeKnown" is opened in line 3 and not closed`,
  ],
  [
    'sections that overlap',
    '{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}',
    `${template} the section "b" is opened in line 2 and not closed, and another ends in line 3`,
  ],
  ['a section closed by a misspelled name', '{{^queueIsFull}}\n\n{{/queueisfull}}', 'is opened in line 1'],
  [
    'a section that is not opened',
    'a\nb {{/waitTimeKnown}}',
    `${template} the section "waitTimeKnown" is closed in line 2 and was not opened`,
  ],
  ['a tag without end', '{{a}}\n<p>{{wait</p>\n<p>', `${template} the tag in line 2 has no end`],
  [
    'a section that ends behind the tag that is taken out of it',
    '<meta http-equiv="refresh" {{#waitTimeKnown}}content="5">{{/waitTimeKnown}}',
    `${at} must have no section that begins or ends within the refresh tag: the tag is taken out`,
  ],
  [
    'sections in one another without end, which nothing could fill in',
    `${'{{^a}}'.repeat(101)}${'{{/a}}'.repeat(101)}`,
    `${template} sections must be at most 100 deep`,
  ],
  ['a name by which the library asks for names', '{{#a}}{{hasOwnProperty}}{{/a}}', 'no variable "hasOwnProperty"'],
  ['delimiters that are none', '{{=a=}}', `${template} Invalid tags: a`],
  ['a place between two braces', '<p>{{ antesala }}</p>', `${at} must have {{{antesala}}} between three braces`],
  ['two places', '{{{antesala}}}{{&antesala}}', `${at} must have {{{antesala}}} once`],
  ['65,537 bytes', 'a'.repeat(65_537), `${at} must be at most 65,536 bytes, got 65,537`],
  ['40,000 characters of two bytes', 'é'.repeat(40_000), `${at} must be at most 65,536 bytes, got 80,000`],
]

describe('a page of the operator', () => {
  it.each([
    ['nothing', ''],
    ['plain HTML with braces in its scripts', '<style>a{b:c}</style><script>if (a) { b({}) }</script>'],
    [
      'sections, inverted sections, comments, raw values and other delimiters',
      '{{#a}}{{^b}}{{! c }}{{{d}}}{{&e}}{{/b}}{{/a}}{{=<% %>=}}<% f %>',
    ],
    ['65,536 bytes', 'a'.repeat(65_536)],
    ['sections, 100 of them in one another', `${'{{^a}}'.repeat(100)}${'{{/a}}'.repeat(100)}`],
    ['variables without a name, and those that every object has', '{{.}}{{#site}}{{.}}{{/site}}{{constructor}}'],
  ])('may be %s', (_, page) => {
    expect(problemsWith({ custom_page_html: page })).toEqual([])
  })

  it.each(BAD)('is refused with %s', (_, page, message) => {
    const problems = problemsWith({ custom_page_html: page })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(message)
  })

  it('is refused in an event with the same message', () => {
    expect(problemsWith({ events: [{ ...sale, custom_page_html: '{{#a}}' }] })).toEqual([
      'rooms[0].events[0].custom_page_html must be a Mustache template: the section "a" is opened in line 1 and not closed',
    ])
  })

  it('is refused when all pages of the room together are too large', () => {
    const events = Array.from({ length: 4 }, (_, i) => ({
      ...sale,
      name: `sale-${i}`,
      event_start_time: `2026-11-2${i}T09:00:00Z`,
      event_end_time: `2026-11-2${i}T10:00:00Z`,
      custom_page_html: 'a'.repeat(65_536),
    }))
    expect(problemsWith({ events })).toEqual([])
    expect(problemsWith({ events, custom_page_html: 'ab' })).toEqual([
      `${at} must be at most 262,144 bytes in all, with those of the room's events, got 262,146`,
    ])
  })
})

describe('a refresh tag in a page', () => {
  it.each([
    ['<meta http-equiv="refresh" content="5">', ''],
    ["<META content='1' HTTP-EQUIV = Refresh\n/>", ''],
    // A > within quotes does not end the tag, neither in an address nor in other delimiters.
    ['<meta content="5; url=/a>b" http-equiv="refresh">', ''],
    ['{{=<% %>=}}<meta http-equiv="refresh" content="<%#a%>5<%/a%>">', '{{=<% %>=}}'],
    ['<noscript><meta http-equiv=refresh content=5></noscript>', '<noscript></noscript>'],
  ])('is taken out of %s', (page, left) => {
    expect(withoutReload(`<p>a</p>${page}<p>b</p>`)).toBe(`<p>a</p>${left}<p>b</p>`)
  })

  it.each([
    '<meta http-equiv="Content-Security-Policy" content="default-src *">',
    '<meta name="description" content="refresh">',
    '<p>http-equiv="refresh"</p>',
  ])('is not %s', page => {
    expect(withoutReload(page)).toBe(page)
  })

  it('is found in one pass, even if no tag is closed', () => {
    // A search to the end of the page for each tag, and again for each word in it, would take minutes.
    expect(withoutReload('<meta http-equiv=refresh'.repeat(2_700))).toHaveLength(64_800)
  })
})

describe('advice', () => {
  it('warns that a refresh tag is taken out of a page', () => {
    const page = '<META HTTP-EQUIV=refresh content=20>'
    const room = { name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60 }
    const about = (more: object) => adviceOn(parseRooms([{ ...room, ...more }]), 0).filter(line => /page/.test(line))
    expect(about({ custom_page_html: '<h1>refresh</h1>' })).toEqual([])
    expect(about({ custom_page_html: page })).toHaveLength(1)
    expect(about({ events: [{ ...sale, custom_page_html: page }] })).toHaveLength(1)
  })
})

describe('a change of pages', () => {
  it('is recorded with shortened pages, and all its other values unchanged', () => {
    const page = 'x'.repeat(70_000)
    const kept = withoutPages({ set: { message: page, custom_page_html: page, events: [{ custom_page_html: null }] } })
    const short = `${'x'.repeat(60)}... (70,000 bytes)`
    expect(kept).toEqual({ set: { message: page, custom_page_html: short, events: [{ custom_page_html: null }] } })
    expect(withoutPages({ reset: 'all' })).toEqual({ reset: 'all' })
  })
})
