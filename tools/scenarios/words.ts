/** A scenario played with and without the room, as a table. */
import type { Column } from './column.ts'
import type { Scenario } from './scenario.ts'

export interface Played {
  readonly scenario: Scenario
  readonly withRoom: Column
  readonly without: Column
}

/** Promises of all scenarios. */
const EVERYWHERE: Scenario['promises'] = [
  { words: 'nothing of a visitor who was not let in reaches the origin', isKept: room => (room.leaked ?? 0) === 0 },
]

export function promisesOf({ scenario, withRoom, without }: Played): { words: string; kept: boolean }[] {
  return [...EVERYWHERE, ...scenario.promises].map(({ words, isKept }) => ({ words, kept: isKept(withRoom, without) }))
}

export function tableOf(played: Played): string {
  const { scenario, withRoom, without } = played
  const rows: [name: string, of: (column: Column) => string][] = [
    ['visitors served', column => `${column.visitorsServed} of ${column.visitors}`],
    ['pages failed', ({ pagesFailed, pages }) => `${pagesFailed} of ${pages}`],
    ['pages blocked', ({ pagesBlocked }) => `${pagesBlocked}`],
    ['failed after 20 s more', ({ pagesFailedLate }) => `${pagesFailedLate}`],
    ['page, median and p95', ({ p50Ms, p95Ms }) => `${seconds(p50Ms)}, ${seconds(p95Ms)}`],
    ['longest outage', ({ longestOutageSeconds }) => `${longestOutageSeconds} s`],
    ['orders begun, done, lost', c => `${c.ordersBegun}, ${c.ordersCompleted}, ${c.ordersLost}`],
    ['admitted a minute', ({ admittedPerMinute }) => `${admittedPerMinute}`],
    [
      'healthy after',
      ({ healthyAfterSeconds }) => (healthyAfterSeconds === null ? 'never' : `${healthyAfterSeconds} s`),
    ],
    ['not healthy after that', ({ relapsedShare }) => (relapsedShare === null ? '' : percent(relapsedShare))],
    ['origin used', ({ usedShare }) => percent(usedShare)],
    ['polls a visitor', ({ pollsPerVisitor }) => `${pollsPerVisitor}`],
    ['origin requests a visitor', ({ originRequestsPerVisitor }) => `${originRequestsPerVisitor}`],
    ['object calls a visitor', ({ objectCallsPerVisitor }) => `${objectCallsPerVisitor}`],
    ['cost on Cloudflare', ({ costUsd }) => (costUsd === null ? '' : `$${costUsd}`)],
  ]
  if (scenario.isSteady) {
    rows.push(['memory, last third/second', ({ memoryGrowth }) => `${memoryGrowth ?? 'not known'}`])
    rows.push(['p95, last third/second', ({ slowdown }) => `${slowdown ?? 'not known'}`])
  }
  if (withRoom.spoiled + without.spoiled > 0)
    rows.push(['spoiled, after closing', c => `${c.spoiled}, ${c.spoiledAfterClosing ?? 'nothing closed'}`])
  const lines = rows.map(([name, of]) => `  ${name.padEnd(28)}${of(withRoom).padEnd(20)}${of(without)}`)
  const promises = promisesOf(played).map(({ words, kept }) => `  ${kept ? 'kept  ' : 'BROKEN'} ${words}`)
  return [
    `${scenario.name} (${scenario.scale})`,
    `  ${''.padEnd(28)}${'with the room'.padEnd(20)}without`,
    ...lines,
    ...promises,
  ].join('\n')
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
