import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

interface Mutation {
  readonly what: string
  /** A path within src/core. */
  readonly file: string
  /** Text that must occur exactly once in the file. */
  readonly from: string
  readonly to: string
}

/** All files that the simulator needs. */
const NEEDED = [
  'src/core',
  'tools/simulation',
  'src/settings/suggest/nearest.ts',
  'tools/support/cli.ts',
  'tools/plot',
  'tools/simulate.ts',
  'package.json',
]

/** A copy of the simulator and the core, which the tests break and repair one after another. */
const copy = mkdtempSync(join(tmpdir(), 'antesala-'))
for (const path of NEEDED) cpSync(path, join(copy, path), { recursive: true })
afterAll(() => rmSync(copy, { recursive: true }))

/** Runs the simulator on the copy of the shipped core with one mistake in it. */
function simulateBroken(crowd: keyof typeof CROWDS, { file, from, to }: Mutation, ...flags: string[]) {
  const broken = join(copy, 'src/core', file)
  const source = readFileSync(broken, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file} has no single "${from.trim()}"`)
  writeFileSync(
    broken,
    source.replace(from, () => to),
  )
  try {
    return simulate(crowd, copy, ...flags)
  } finally {
    writeFileSync(broken, source)
  }
}

function simulate(crowd: keyof typeof CROWDS, root = '.', ...flags: string[]) {
  const args = [join(root, 'tools/simulate.ts'), '--json', ...flags, ...CROWDS[crowd].split(' ')]
  // Node then keeps what it has compiled, and starts faster.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(copy, 'compiled') }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  return { status, figures: JSON.parse(stdout) as { violations: number; admitted: number }, stderr }
}

const CROWDS = {
  /** A line of twenty-one minutes. Half of its visitors go away. */
  waiting: '--visitors 2900 --arrive 300 --rate 60 --no-shows 0.5 --until 1320',
  /** A small room, whose messages are lost and repeated and whose doors die. */
  rough:
    '--visitors 600 --arrive 20 --rate 240 --total 40 --session 0.2 --stay 6 --loss 0.05 --duplicate 0.05 --evictions 25',
  /** A fifth of all messages comes twice, and none is lost. */
  doubled: '--visitors 800 --arrive 20 --rate 600 --duplicate 0.2',
  /** A slow room with many doors. */
  spread: '--visitors 750 --arrive 300 --rate 30 --doors 20 --edges 40 --until 1320',
  /** A third of the visitors is invited to a lane with a fifth of the permits. */
  lanes: '--visitors 1600 --arrive 60 --rate 200 --lanes vip:0.2:0.33 --until 420',
  /** Pages of many requests at several isolates, over a rough network. */
  limited:
    '--visitors 600 --arrive 60 --rate 1200 --limit 60/60/20 --loss 0.05 --duplicate 0.2 --clock-skew 1000 --stay 60',
  /** Long debts, and doors that die. */
  strict: '--visitors 600 --arrive 60 --rate 1200 --limit 20/600/10 --evictions 60 --stay 90',
  /** A prequeue that is drawn at the start of an event. Half of its visitors go away. */
  event: '--visitors 3500 --arrive 90 --rate 300 --prequeue 60 --event-draw --no-shows 0.5',
  /** A random line, drawn twice a minute. */
  drawn: '--visitors 1500 --arrive 120 --rate 300 --method random --shuffle-window 30',
} as const

const MUTATIONS: readonly (Mutation & { crowd: keyof typeof CROWDS; breaks: string })[] = [
  {
    what: 'permits are granted beyond the burst',
    file: 'permits/bank.ts',
    from: 'const BURST_SECONDS = 5',
    to: 'const BURST_SECONDS = 8',
    crowd: 'doubled',
    breaks: 'I1',
  },
  {
    what: 'places are ignored',
    file: 'permits/bank.ts',
    from: 'limits.totalActiveUsers - live - unspent)',
    to: 'limits.totalActiveUsers)',
    crowd: 'rough',
    breaks: 'I2',
  },
  {
    what: 'a stale report of a door is applied',
    file: 'room/room.ts',
    from: "if (report.seq < door.seq) return { kind: 'stale' }",
    to: '',
    crowd: 'rough',
    breaks: 'I2',
  },
  {
    what: 'a door keeps its permits into its next incarnation',
    file: 'permits/bank.ts',
    from: 'epoch: report.epoch, granted: 0, spent: 0',
    to: 'epoch: report.epoch, spent: 0',
    crowd: 'rough',
    breaks: 'I2',
  },
  {
    what: 'a session is claimed twice',
    file: 'door/door.ts',
    from: 'if (known) return answerKnown(known, request, rules, clockMs)',
    to: 'if (known && !isLive(known, clockMs)) return answerKnown(known, request, rules, clockMs)',
    crowd: 'doubled',
    breaks: 'I7',
  },
  {
    what: 'a session that has ended is claimed again',
    file: 'door/door.ts',
    from: 'if (known) return answerKnown(known, request, rules, clockMs)',
    to: 'if (known && isLive(known, clockMs)) return answerKnown(known, request, rules, clockMs)',
    crowd: 'doubled',
    breaks: 'I7',
  },
  {
    what: 'a shown position rises',
    file: 'place/place.ts',
    from: 'Math.min(ahead + 1, ticket.low ?? Number.POSITIVE_INFINITY)',
    to: 'ahead + 1',
    crowd: 'rough',
    breaks: 'I4',
  },
  {
    what: 'a called visitor misses the turn at once',
    file: 'place/place.ts',
    from: 'ticket.key <= lane.lapsedKey',
    to: 'ticket.key <= lane.frontierKey',
    crowd: 'waiting',
    breaks: 'I4',
  },
  {
    what: 'a repeated report counts its places again',
    file: 'tally.ts',
    from: 'if (report.seq <= applied.seq) return undefined',
    to: 'if (report.seq <= applied.seq) return report.cells',
    crowd: 'doubled',
    breaks: 'I4',
  },
  {
    what: 'the line is not held for the start of an event',
    file: 'events/events.ts',
    from: 'return hold ? Math.min(settledKey, hold.fromKey - KEY_STEP) : settledKey',
    to: 'return settledKey',
    crowd: 'event',
    breaks: 'I6',
  },
  {
    what: 'what a lease has never reported is forgotten at its end',
    file: 'limits/debt.ts',
    from: 'const beforeMs = debt.tatMs\n    chargeAtEnd(debt, lease)',
    to: 'const beforeMs = debt.tatMs',
    crowd: 'limited',
    breaks: 'I11',
  },
  {
    what: 'requests drain from long before they were used',
    file: 'limits/debt.ts',
    from: 'Math.min(fromMs, nowMs, known.endMs)',
    to: '0',
    crowd: 'limited',
    breaks: 'I11',
  },
  {
    what: 'a lease is used long after its end',
    file: 'limits/answers.ts',
    from: 'lease.untilMs = term.sentMs + term.leaseMs',
    to: 'lease.untilMs = term.nowMs + 60 * term.leaseMs',
    crowd: 'limited',
    breaks: 'I11',
  },
  {
    what: 'long debts are not written down',
    file: 'limits/ledger.ts',
    from: 'const isLong = debtMs(debt, nowMs) > WRITTEN_OVER_MS',
    to: 'const isLong = false',
    crowd: 'strict',
    breaks: 'I11',
  },
  {
    what: 'all lanes have the same share',
    file: 'permits/lanes.ts',
    from: 'const share = named ? named.share : lanes.reduce((rest, other) => rest - other.share, 1)',
    to: 'const share = named ? 1 / (lanes.length + 1) : 1 / (lanes.length + 1)',
    crowd: 'lanes',
    breaks: 'share',
  },
  {
    what: 'nobody of a lane is called while the main one has a line',
    file: 'permits/lanes.ts',
    from: 'let open = [...wanted].filter(([, want]) => want > 0)',
    to: 'let open = [...wanted].filter(([, want]) => want > 0).slice(0, 1)',
    crowd: 'lanes',
    breaks: 'share',
  },
  {
    what: 'a place is known before its draw',
    file: 'line/batches.ts',
    from: 'const key = batches && atMs >= batches.fromMs ? batchAt(batches, atMs).fromKey - KEY_STEP : atMs',
    to: 'const key = atMs + (batches?.windowMs ?? 0)',
    crowd: 'drawn',
    breaks: 'draw',
  },
  {
    what: 'nobody is expected to stay away',
    file: 'line/frontier.ts',
    from: 'return Math.min(1, Math.max(SHOW_RATE_MIN, rate))',
    to: 'return Math.min(1, Math.max(1, rate))',
    crowd: 'waiting',
    breaks: 'I5',
  },
  {
    what: 'called visitors hear of it a minute late',
    file: 'place/estimate.ts',
    from: 'return jittered(Math.min(soon, ahead < NEXT_PEOPLE ? POLL_MIN_MS : FRONT_POLL_MAX_MS), random)',
    to: 'return jittered(60_000 + soon, random)',
    crowd: 'waiting',
    breaks: 'I6',
  },
  {
    what: 'a ticket is counted with every poll',
    file: 'place/step.ts',
    from: 'const confirms = next.confirmed && !ticket.confirmed',
    to: 'const confirms = next.confirmed',
    crowd: 'waiting',
    breaks: 'I4',
  },
  {
    what: 'a waiting visitor polls once in a claim window, however near the turn is',
    file: 'place/step.ts',
    from: 'beforeLapse(next, rules.claimWindowMs, rules.missedGraceMs, random)',
    to: 'Math.max(next, 0.8 * rules.claimWindowMs)',
    crowd: 'waiting',
    breaks: 'I5',
  },
  {
    what: 'the frontier jumps to the end of the line',
    file: 'line/frontier.ts',
    from: 'return Math.max(0, (supplyOf(load) + target - load.ready) / rate - pending(state, nowMs))',
    to: 'return 1_000_000 * (1 + supplyOf(load) + target + rate + pending(state, nowMs))',
    crowd: 'spread',
    breaks: 'I6',
  },
]

describe('the simulation', () => {
  it.each(Object.keys(CROWDS) as (keyof typeof CROWDS)[])(
    'finds nothing wrong with the core as shipped, for the crowd %s',
    crowd => {
      const { status, figures, stderr } = simulate(crowd)
      expect({ status, violations: figures.violations }, stderr).toEqual({ status: 0, violations: 0 })
      expect(figures.admitted).toBeGreaterThan(500)
    },
    60_000,
  )

  it.each(MUTATIONS)(
    'fails when $what ($breaks)',
    mutation => {
      const { status, figures, stderr } = simulateBroken(mutation.crowd, mutation, '--shrink', '0')
      expect(status, JSON.stringify(figures)).toBe(1)
      expect(figures.violations).toBeGreaterThan(0)
      expect(stderr).toContain(`${mutation.breaks} broken at`)
      expect(stderr).toMatch(/^seed 1: /)
      expect(stderr).toMatch(/npm run simulate -- .*--/)
      if (mutation.crowd === 'event') expect(stderr).toContain('--event-draw')
      if (mutation.crowd === 'drawn') expect(stderr).toContain('--method random --shuffle-window 30')
      expect(stderr).toMatch(/\d+\.\d{3} s {2}(door|room|visitor|the)/)
    },
    60_000,
  )

  it('prints a smaller run that breaks the same guarantee', () => {
    const [mutation] = MUTATIONS as [(typeof MUTATIONS)[0]]
    const { stderr } = simulateBroken(mutation.crowd, mutation)
    const [, visitors] = /The smallest run found .*\n.*--visitors (\d+)/.exec(stderr) ?? []
    expect(Number(visitors), stderr).toBeLessThan(800)
  }, 60_000)
})
