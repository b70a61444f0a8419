/**
 * Shows the gain of each constant of the frontier: three fixed simulations with the constant halved, as shipped, and
 * doubled. Works on copies of the core, and prints the table of docs/simulation.md.
 */
import { type Edit, simulateEdited } from './simulation/edited.ts'
import { run } from './support/cli.ts'

const USAGE = `node tools/constants.ts

Prints a table: the used share of the rate, the displacement's p95 in seconds of service and Kendall's tau of three fixed simulations, for
each constant of src/core/line/frontier.ts halved, as shipped and doubled. Takes some minutes.`

const SIMULATIONS = [
  '--visitors 900 --arrive 120 --rate 30 --no-shows 0.3',
  '--visitors 18000 --arrive 300 --rate 600 --no-shows 0.6',
  '--visitors 5000 --arrive 300 --rate 600 --total 400 --session 1 --stay 40',
] as const

/** Each constant as written in the file. A share never exceeds one. */
const CONSTANTS: readonly { readonly name: string; readonly from: string; readonly to: (factor: number) => string }[] =
  [
    scaled('SEEN_FROM_MS', '1_500'),
    scaled('SEEN_WITHIN_MS', '5_500'),
    scaled('UNSEEN_FOR_MS', '8_000'),
    {
      name: 'LOOKAHEAD_MS',
      from: '(SEEN_FROM_MS + SEEN_WITHIN_MS) / 2',
      to: factor => `((SEEN_FROM_MS + SEEN_WITHIN_MS) / 2) * ${factor}`,
    },
    scaled('STANDBY_MS', '2_000'),
    scaled('STANDBY_MIN', '2'),
    scaled('SHOW_HALF_LIFE_MS', '60_000'),
    {
      name: 'SHOW_PRIOR',
      from: '{ called: 4, shown: 4 }',
      to: factor => `{ called: ${4 * factor}, shown: ${4 * factor} }`,
    },
    scaled('SHOW_RATE_MIN', '0.02'),
  ]

await run(USAGE, {}, async () => {
  console.log('| constant | value | 30 a minute, 30 % no-shows | 600 a minute, 60 % no-shows | a full room |')
  console.log('|---|---|---|---|---|')
  console.log(row('as shipped', '', null))
  for (const { name, from, to } of CONSTANTS) {
    console.log(row(`\`${name}\``, 'half', { from: `const ${name} = ${from}\n`, to: `const ${name} = ${to(0.5)}\n` }))
    console.log(row('', 'double', { from: `const ${name} = ${from}\n`, to: `const ${name} = ${to(2)}\n` }))
  }
  return 0
})

function scaled(name: string, value: string) {
  return { name, from: value, to: (factor: number) => `${Number(value.replaceAll('_', '')) * factor}` }
}

function row(name: string, value: string, edit: { from: string; to: string } | null): string {
  const inFrontier = edit && { file: 'line/frontier.ts', ...edit }
  return `| ${name} | ${value} | ${SIMULATIONS.map(flags => figures(flags, inFrontier)).join(' | ')} |`
}

/** Used share, displacement p95 in seconds of service, and tau. Adds a mark when a guarantee was broken. */
function figures(flags: string, edit: Edit | null): string {
  const { stdout } = simulateEdited(flags, edit)
  const { usedShare, displacementP95Seconds, kendallTau, violations } = JSON.parse(stdout)
  const broken = violations > 0 ? ', **broken**' : ''
  return `${(usedShare * 100).toFixed(1)} %, ${displacementP95Seconds.toFixed(1)} s, ${kendallTau.toFixed(4)}${broken}`
}
