import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REGIONS } from '../../tools/fuzz/regions.ts'
import { differenceText } from '../../tools/fuzz/report.ts'
import { fuzz, type Result } from '../../tools/fuzz/run.ts'
import { type FuzzedSite, startFuzzedSites } from '../../tools/fuzz/site.ts'

/** `npm run fuzz` sends more requests, with other seeds. */
const SEED = 7
const REQUESTS = 5_000

let sites: readonly FuzzedSite[]
let result: Result

beforeAll(async () => {
  sites = await startFuzzedSites()
  result = await fuzz(sites, { requests: REQUESTS, seed: SEED, connections: 12 })
}, 180_000)

afterAll(async () => {
  await Promise.all(sites.map(site => site.stop()))
})

describe('five thousand mutated requests', () => {
  it('reach the origin exactly as they were judged, or get an answer that the contract allows', () => {
    expect(result.differences.map(difference => differenceText(difference, SEED))).toEqual([])
  })

  it.each(REGIONS.filter(({ gate }) => gate === 'shut').map(({ name }) => name))('are refused by the room %s', name => {
    expect(result.tally.count(name, 'edge')).toBeGreaterThan(20)
  })

  it.each(REGIONS.map(({ name }) => name).filter(name => name !== 'wild'))('pass through the room %s', name => {
    expect(result.tally.count(name, 'origin')).toBeGreaterThan(2)
  })
})
