/** The checklist of a big day: what it finds, and that the runbook has the same list. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Result {
  readonly state: 'good' | 'bad' | 'look'
  readonly why: string
}
interface Item {
  readonly id: string
  readonly text: string
  readonly check?: (seen: object) => Result
}

const path: string = '../../static/admin/checklist/items.js'
const { PHASES } = (await import(path)) as {
  readonly PHASES: readonly { readonly title: string; readonly items: readonly Item[] }[]
}
const ITEMS = PHASES.flatMap(({ items }) => items)

const NOW = Date.parse('2026-11-20T09:00:00Z')
const EVENT = {
  name: 'sale',
  state: 'upcoming',
  prequeueAt: '2026-11-27T08:30:00Z',
  startsAt: '2026-11-27T09:00:00Z',
  endsAt: '2026-11-27T21:00:00Z',
}
const SITE = { name: 'origin', breaker: 'closed', samples: 840, p50Ms: 76, failures: 0, apdex: 0.97 }
const SETTINGS = {
  host: 'shop.example',
  path: '/',
  new_users_per_minute: 120,
  total_active_users: 1_000,
  session_duration: 5,
  alerts: [{}],
  events: [
    { name: 'sale', message: null, new_users_per_minute: null, total_active_users: null, session_duration: null },
  ],
  message: '',
  languages: ['en', 'de'],
  health: { mode: 'enforce', apdex_target: 0.85, probe: null },
  suspended: false,
  mode: 'enforce',
  queueing_method: 'fifo',
  queue_all: false,
  remaining: null,
}
const FIGURES = {
  totals: { minted: 40 },
  health: { state: 'well', upstreams: [SITE] },
  remaining: null,
  waiting: 0,
  admittedLastMinute: 100,
  forecast: { kind: 'moves' },
}

interface Given {
  readonly settings?: object
  readonly figures?: object
  readonly events?: readonly object[]
  readonly sources?: object
  readonly seen?: object
}

function found(id: string, { settings, figures, events = [EVENT], sources = {}, seen }: Given = {}): string {
  const room = {
    name: 'shop',
    settings: { ...SETTINGS, ...settings },
    figures: { ...FIGURES, ...figures },
    events,
    sources,
  }
  const result = ITEMS.find(item => item.id === id)?.check?.({
    ...{ room, nowMs: NOW, aheadMs: 40, you: { name: 'ana' }, readyProblems: [] },
    ...seen,
  })
  return `${result?.state}: ${result?.why}`
}

describe('the checklist', () => {
  it.each<[string, Given, RegExp]>([
    ['event', {}, /^good: sale starts in 7 days/],
    ['event', { events: [{ ...EVENT, state: 'over' }] }, /^bad: No event is to come/],
    ['route', {}, /^good: 40 visitors/],
    ['route', { figures: { totals: {} } }, /^look: .*https:\/\/shop\.example\//],
    ['alerts', { settings: { alerts: [] } }, /^bad/],
    ['limits', {}, /^good: At 120 a minute and sessions of 5 min about 600 are inside, of 1,000 places/],
    ['limits', { settings: { new_users_per_minute: 10 } }, /^bad: .*most places stay empty/],
    ['limits', { settings: { new_users_per_minute: 600 } }, /^good: .*limit admissions more than the rate/],
    ['token', {}, /^good: You are ana/],
    ['token', { seen: { you: { name: 'ADMIN_TOKEN' } } }, /^bad/],
    ['times', {}, /^good: .*Newcomers wait from 30 min before/],
    ['times', { events: [{ ...EVENT, prequeueAt: '2026-11-27T08:54:00Z' }] }, /^look: .*Many come earlier/],
    ['times', { events: [{ ...EVENT, prequeueAt: null }] }, /^look: .*let in at once/],
    ['message', { settings: { message: 'Soon.' } }, /^look: It is one text for visitors of all languages/],
    ['message', { settings: { message: { en: 'Soon.' } } }, /^bad: It is missing in de/],
    ['message', { settings: { message: { en: 'Soon.', de: 'Gleich.' } } }, /^good: It is there in en, de/],
    ['health', { settings: { health: { mode: 'shadow' } } }, /^bad: Its mode is shadow/],
    ['origin', {}, /^good: 840 answers/],
    ['origin', { figures: { health: { upstreams: [{ ...SITE, failures: 0.2 }] } } }, /^bad: .*20 % failures/],
    ['origin', { figures: { health: { upstreams: [{ ...SITE, samples: 0 }] } } }, /^look: .*health\.probe is not set/],
    ['live', { sources: { message: 'live' } }, /^look: Set live: message/],
    ['ready', { seen: { readyProblems: ['room shop: no door has answered for 12 s'] } }, /^bad: room shop: no door/],
    ['ready', { seen: { readyProblems: null } }, /^look/],
    ['force', {}, /^good/],
    ['force', { settings: { suspended: true, mode: 'observe' } }, /^bad: .*it is suspended, it only observes/],
    ['budget', { figures: { remaining: 0 } }, /^bad/],
    ['clock', {}, /^good/],
    ['clock', { seen: { aheadMs: 180_000 } }, /^look: Your clock is 3 min behind/],
    ['well', { figures: { health: { state: 'down', upstreams: [] } } }, /^bad: It is down/],
    ['moves', { figures: { waiting: 90, forecast: { kind: 'stopped' } } }, /^bad: It stands still, and 90 wait/],
    ['back', { sources: { queue_all: 'live' } }, /^bad: Still set live: queue_all/],
    ['let-go', { settings: { queue_all: true } }, /^bad: The line is held/],
    ['cleared', { settings: { message: 'Soon.' } }, /^look/],
    ['over', { events: [{ ...EVENT, state: 'over' }] }, /^bad: Over: sale/],
  ])('checks %s', (id, given, words) => {
    expect(found(id, given)).toMatch(words)
  })

  it('has the same points as the runbook', () => {
    const page = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
    const [, list = ''] = /## Checklist\n(.*?)\n## /s.exec(page) ?? []
    const lines = PHASES.flatMap(({ title, items }) => [
      `**${title}**`,
      ...items.map(({ text, check }) => `- ${text}${check ? '' : ' (*by hand*)'}`),
    ])
    expect(list.split('\n').filter(line => /^(- |\*\*)/.test(line))).toEqual(lines)
  })
})
