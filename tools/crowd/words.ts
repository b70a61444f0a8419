/** A run in words: the live line, and the summary at the end. */
import type { CrowdFigures } from './figures.ts'
import type { Tally } from './tally.ts'

const LINE_EVERY_MS = 5_000
/** For terminals that do not report their width. */
const LINE_CHARS = 100

/** A watcher for `runCrowd`: on a terminal one line that is rewritten, elsewhere a new line every five seconds. */
export function liveLine(stream: NodeJS.WriteStream): { watch(tally: Tally, nowMs: number): void; end(): void } {
  let lastMs = 0
  return {
    watch(tally, nowMs) {
      if (stream.isTTY) stream.write(`\r\u001b[2K${lineOf(tally, nowMs).slice(0, (stream.columns || LINE_CHARS) - 1)}`)
      else if (nowMs - lastMs >= LINE_EVERY_MS - 100) {
        lastMs = nowMs
        stream.write(`${lineOf(tally, nowMs)}\n`)
      }
    },
    end() {
      if (stream.isTTY) stream.write('\r\u001b[2K')
    },
  }
}

function lineOf(tally: Tally, nowMs: number): string {
  const { visitors, admissionsMs, errors } = tally
  const arrived = visitors.length - visitors.filter(visitor => visitor.arrivedMs === null).length
  const admitted = visitors.filter(visitor => visitor.admittedMs !== null).length
  const lastMinute = admissionsMs.filter(atMs => atMs > nowMs - 60_000).length
  const parts = [
    `${Math.round(nowMs / 1_000)} s`,
    `arrived ${arrived}/${visitors.length}`,
    `waiting ${tally.count('in line')}`,
    `inside ${tally.count('inside')}`,
    `admitted ${admitted}`,
    `${lastMinute} in the last 60 s`,
    `errors ${errors}`,
  ]
  return parts.join(', ')
}

export function summaryOf(figures: CrowdFigures, url: string): string {
  const f = figures
  const statuses = Object.entries(f.statuses).map(([status, count]) => `${status}: ${count}`)
  const rows = [
    ['admitted', `${f.admitted}, ${f.admittedPerMinute} a minute; at most ${f.max10s} in 10 s, ${f.max60s} in 60 s`],
    ['inside', `at most ${f.mostInside} at once`],
    ['not admitted', `${f.gaveUp} gave up, ${f.stillWaiting} still waiting`],
    ['wait', `median ${f.waitP50Seconds} s, p95 ${f.waitP95Seconds} s, with ${f.polls} polls`],
    ['order', `p95 ${f.displacementP95Seconds} s out of turn`],
    ['pages inside', `p95 ${f.pageP95Ms} ms, ${f.pagesFailed} failed, ${f.sentBack} visitors sent back in line`],
    ['orders', `${f.ordersPlaced}`],
    ...(f.robots ? [['robots', `${f.robots.admitted} of ${f.robots.arrived} were let in`]] : []),
    ['statuses', statuses.join(', ') || 'none'],
    ['errors', [f.errors, ...f.errorSamples].join('; ')],
    [
      'leaked',
      f.leaked === null ? 'unknown: the origin does not report the requests that reached it' : `${f.leaked} requests`,
    ],
  ]
  const lines = rows.map(([name = '', words]) => `  ${name.padEnd(14)}${words}`)
  return [`${f.visitors} visitors at ${url}, ${f.seconds} s`, '', ...lines].join('\n')
}
