/** Draws a run over time. */
import { chart, type Series } from '../plot/chart.ts'
import type { Sample } from './use.ts'

/** Rates are drawn as means over this time. */
const WINDOW_SECONDS = 10
/** A limit this many times above everything else is left out: it would flatten the other lines. */
const FAR_ABOVE = 4

export function plotOf(samples: readonly Sample[]): string {
  const line = (name: string, of: (sample: Sample) => number, isBound = false): Series => ({
    name,
    isBound,
    points: samples.map(sample => [sample.atMs / 1_000, of(sample)] as const),
  })
  const perMinute = (name: string, of: (sample: Sample) => number): Series => ({
    name,
    points: samples.map((sample, index) => {
      const before = samples[index - WINDOW_SECONDS]
      const tookMs = sample.atMs - (before?.atMs ?? 0)
      return [sample.atMs / 1_000, ((of(sample) - (before ? of(before) : 0)) * 60_000) / tookMs] as const
    }),
  })
  const mostInside = Math.max(1, ...samples.map(({ active }) => active))
  const places = line('places', sample => sample.totalActiveUsers, true)
  const isNear = samples.some(({ totalActiveUsers }) => totalActiveUsers <= FAR_ABOVE * mostInside)
  return chart(
    [
      {
        title: 'visitors so far',
        series: [line('arrived', sample => sample.arrived), line('admitted', sample => sample.admitted)],
      },
      { title: 'waiting', series: [line('waiting', sample => sample.waiting)] },
      { title: 'inside', series: [line('inside', sample => sample.active), ...(isNear ? [places] : [])] },
      {
        title: `arrivals a minute, over ${WINDOW_SECONDS} s`,
        series: [perMinute('arrivals', sample => sample.arrived)],
      },
      {
        title: `admissions a minute, over ${WINDOW_SECONDS} s`,
        series: [
          perMinute('admissions', sample => sample.admitted),
          line('rate', sample => sample.ratePerMinute, true),
        ],
      },
    ],
    'Visitors arrived, waiting, inside and admitted over time, with the rate and the places that limit them',
  )
}
