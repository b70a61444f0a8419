/** Records a run every second, and draws it at the end. */
import { chart } from '../plot/chart.ts'
import { quantile } from '../simulation/order.ts'
import type { Tally } from './tally.ts'

interface Frame {
  readonly seconds: number
  readonly waiting: number
  readonly inside: number
  readonly admitted: number
  readonly pages: number
  readonly failed: number
}

/** Each rate is a mean over this time, and each latency is the p95 of this time. */
const WINDOW_SECONDS = 10

export class Film {
  readonly #frames: Frame[] = []
  readonly #p95Ms: [seconds: number, ms: number][] = []

  watch(tally: Tally, nowMs: number): void {
    const seconds = nowMs / 1_000
    this.#frames.push({
      seconds,
      waiting: tally.count('in line'),
      inside: tally.count('inside'),
      admitted: tally.admissionsMs.length,
      pages: tally.pagesMs.length,
      failed: tally.pagesFailed,
    })
    const before = this.#before(this.#frames.length - 1)
    const lately = tally.pagesMs.slice(before?.pages ?? 0).sort((a, b) => a - b)
    this.#p95Ms.push([seconds, quantile(lately, 0.95) / 1_000])
  }

  draw(): string {
    const points = (of: (frame: Frame) => number) => this.#frames.map(frame => [frame.seconds, of(frame)] as const)
    const perSecond = (of: (frame: Frame) => number) =>
      this.#frames.map((frame, index) => {
        const before = this.#before(index)
        const took = before ? frame.seconds - before.seconds : frame.seconds
        return [frame.seconds, took > 0 ? (of(frame) - (before ? of(before) : 0)) / took : 0] as const
      })
    return chart(
      [
        {
          title: 'visitors',
          series: [
            { name: 'waiting', points: points(frame => frame.waiting) },
            { name: 'inside', points: points(frame => frame.inside) },
            { name: 'admitted so far', points: points(frame => frame.admitted) },
          ],
        },
        {
          title: `pages a second inside, over ${WINDOW_SECONDS} s`,
          series: [
            { name: 'answered', points: perSecond(frame => frame.pages) },
            { name: 'failed', points: perSecond(frame => frame.failed) },
          ],
        },
        { title: 'seconds for a page, p95', series: [{ name: 'latency', points: this.#p95Ms }] },
      ],
      'Visitors waiting, inside and admitted, pages a second and their latency over time',
    )
  }

  #before(index: number): Frame | undefined {
    return this.#frames[Math.max(0, index - WINDOW_SECONDS)]
  }
}
