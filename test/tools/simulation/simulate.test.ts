import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { costUsd } from '../../../src/core/history/prices.ts'
import { runTool } from '../../support/node/tool.ts'

const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
afterAll(() => rmSync(scratch, { recursive: true }))

function simulate(...args: string[]) {
  return runTool('tools/simulate.ts', ...args)
}

describe('npm run simulate', () => {
  it('plays measured arrivals, prints one JSON object, and draws a plot', async () => {
    const arrivals = join(scratch, 'arrivals.csv')
    const plot = join(scratch, 'line.svg')
    writeFileSync(arrivals, 'second,visitors\n0,100\n5,50\n')
    const { status, stdout } = await simulate('--arrivals', arrivals, '--rate', '300', '--json', '--plot', plot)
    const figures = JSON.parse(stdout)
    expect(status).toBe(0)
    expect(figures).toMatchObject({
      admitted: 150,
      violations: 0,
      estimateErrorMedian: null,
      kendallTau: expect.any(Number),
    })
    expect(Object.keys(figures.maxWindow)).toEqual(['1', '10', '60'])
    // 5 a second, and a burst of 25.
    expect(figures.boundWindow).toEqual({ 1: 30, 10: 75, 60: 325 })
    expect(figures.costUsd).toBeGreaterThan(0)
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg [\s\S]*admissions a minute[\s\S]*<\/svg>\n$/)
  })

  it('plays the same run for the same seed', async () => {
    const figures = async () => {
      const { stdout } = await simulate('--visitors', '300', '--json', '--loss', '0.02')
      return { ...JSON.parse(stdout), elapsedMs: 0 }
    }
    expect(await figures()).toEqual(await figures())
  })

  it('adds doors for many isolates, and reports what the busiest objects had to do', async () => {
    const crowd = ['--visitors', '3000', '--arrive', '30', '--rate', '600', '--edges', '1000', '--until', '60']
    const { status, stdout } = await simulate(...crowd, '--doors', 'auto', '--json')
    const { doors, busiestDoorPerSecond, busiestRoomPerSecond, snapshotBytesMax } = JSON.parse(stdout)
    expect([status, doors]).toEqual([0, expect.any(Number)])
    expect(doors).toBeGreaterThan(1)
    for (const figure of [busiestDoorPerSecond, busiestRoomPerSecond, snapshotBytesMax])
      expect(figure).toBeGreaterThan(0)
  })

  it('refuses an unknown method', async () => {
    const { status, stderr } = await simulate('--method', 'lottery')
    expect(status).toBe(2)
    expect(stderr).toContain('--method must be fifo or random, got lottery')
  })

  it.each([
    ['vip:0.2:0.1,vip:0.2:0.1', '--lanes must name each lane once, got vip twice'],
    ['__proto__:0.2:0.3', 'a name as in the settings with a share and a part of 0 to 1, got __proto__:0.2:0.3'],
  ])('refuses lanes that no room could have: %s', async (lanes, message) => {
    const { status, stderr } = await simulate('--lanes', lanes)
    expect(status).toBe(2)
    expect(stderr).toContain(message)
  })

  it('reports how many requests a limit allowed and refused, and how many calls that took', async () => {
    const { status, stdout } = await simulate('--visitors', '200', '--arrive', '20', '--limit', '60/60/20', '--json')
    const { requestsAllowed, requestsLimited, requestsAlone, limitCallsPerThousand } = JSON.parse(stdout)
    expect(status).toBe(0)
    expect(requestsAllowed).toBeGreaterThan(200 * 20)
    expect(requestsLimited).toBeGreaterThan(200)
    expect(requestsAlone).toBe(0)
    expect(limitCallsPerThousand).toBeLessThan(500)
  })

  it.each(['0/60', '60', '60/60/0', '60/60/20/1', '2000/1', 'many/60'])(
    'refuses a limit of %s and names it',
    async limit => {
      const { status, stderr } = await simulate('--limit', limit)
      expect(status).toBe(2)
      expect(stderr).toContain(`got ${limit}`)
    },
  )

  it('refuses a bad line of arrivals with its number', async () => {
    const arrivals = join(scratch, 'bad.csv')
    writeFileSync(arrivals, '0,100\nnoon,50\n')
    const { status, stderr } = await simulate('--arrivals', arrivals)
    expect(status).toBe(2)
    expect(stderr).toContain('line 2')
  })
})

describe('the cost', () => {
  it('is the sum of what was used, at list prices', () => {
    const nothing = { workerRequests: 0, objectRequests: 0, objectSeconds: 0, rowsRead: 0, rowsWritten: 0 }
    expect(costUsd(nothing)).toBe(0)
    // A million requests at 0.30, and a millisecond of CPU each at 0.02.
    expect(costUsd({ ...nothing, workerRequests: 1_000_000 })).toBeCloseTo(0.32)
    expect(costUsd({ ...nothing, objectRequests: 2_000_000, rowsWritten: 3_000_000 })).toBeCloseTo(3.3)
    // A million GB-s are 7.8125 million seconds of an object.
    expect(costUsd({ ...nothing, objectSeconds: 7_812_500 })).toBeCloseTo(12.5)
  })
})
