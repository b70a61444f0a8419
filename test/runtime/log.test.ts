import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LOG_LEVELS, log, logError, SeldomLog } from '../../src/runtime/log.ts'

const ROOT = new URL('../..', import.meta.url).pathname

/** Collects what is written to the console, by its level. */
function written(): { readonly level: string; readonly line: Record<string, unknown> }[] {
  const lines: { level: string; line: Record<string, unknown> }[] = []
  for (const level of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => lines.push({ level, line: JSON.parse(text) }))
  return lines
}

afterEach(() => vi.restoreAllMocks())

describe('the log', () => {
  it('has one line of JSON for each event, with the time, the level and the room', () => {
    vi.useFakeTimers({ now: Date.parse('2026-03-01T12:00:00Z') })
    const lines = written()
    log('sold-out', { room: 'shop' })
    log('no-visitor-address', { detail: 'no address' })
    vi.useRealTimers()
    const time = '2026-03-01T12:00:00.000Z'
    expect(lines).toEqual([
      { level: 'warn', line: { time, level: 'warn', event: 'sold-out', room: 'shop' } },
      { level: 'warn', line: { time, level: 'warn', event: 'no-visitor-address', room: null, detail: 'no address' } },
    ])
  })

  it('keeps an unexpected error with its stack in one line', () => {
    const lines = written()
    logError(new TypeError('no such thing'))
    expect(lines).toMatchObject([{ level: 'error', line: { event: 'unexpected-error' } }])
    expect(lines[0]?.line.detail).toMatch(/^TypeError: no such thing\n +at .*log\.test\.ts/)
  })

  it('repeats an event that requests repeat once a minute, for each room', () => {
    const lines = written()
    const seldom = new SeldomLog()
    for (let second = 0; second < 90; second++)
      for (const room of ['shop', 'news']) seldom.note('origin-unreachable', { room }, 1_000 * second)
    expect(lines.map(({ line }) => line.room)).toEqual(['shop', 'news', 'shop', 'news'])
  })

  it('goes on when the clock has moved back', () => {
    const lines = written()
    const seldom = new SeldomLog()
    for (const nowMs of [100_000, 50_000]) seldom.note('probe-failed', {}, nowMs)
    expect(lines).toHaveLength(2)
  })

  it('is the only part of src that writes to the console', () => {
    const others = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts') && file !== 'runtime/log.ts')
      .filter(file => /\bconsole\b/.test(readFileSync(`${ROOT}/src/${file}`, 'utf8')))
    expect(others).toEqual([])
  })

  it('has every event, with its level, in the runbook', () => {
    const runbook = readFileSync(`${ROOT}/docs/runbook.md`, 'utf8')
    const [, section = ''] = runbook.split('\n## Log\n')
    const rows = [...section.matchAll(/^\| (`[^|]+`) \| (\w+) \|/gm)]
    const documented = rows.flatMap(([, names = '', level]) =>
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => [name, level]),
    )
    expect(Object.fromEntries(documented)).toEqual(LOG_LEVELS)
  })
})
