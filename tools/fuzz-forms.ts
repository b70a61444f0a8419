/** Fuzzes the pages that carry a form: sends hostile forms to the built Worker, and judges its pages and its origin. */
import { fuzzForms } from './fuzz/forms/run.ts'
import { number, run } from './support/cli.ts'

const USAGE = `npm run fuzz:forms -- [--forms 20000] [--seed 1]

Sends hostile forms of another site to the built Worker in plain workerd, and sends each once more as our page does.
Prints each form whose page has other markup than that of a harmless form, or which reaches the origin changed. The same
seed gives the same forms. The exit code is 1 when there is a difference.`

const FLAGS = {
  forms: { value: 'N', help: 'how many', default: '20000' },
  seed: { value: 'N', help: 'which', default: '1' },
}

await run(USAGE, FLAGS, async given => {
  const forms = number(given, 'forms', 1, 10_000_000)
  const seed = number(given, 'seed', 0, 4_294_967_295)
  const startMs = Date.now()
  const differences = await fuzzForms({ forms, seed, progress })
  for (const difference of differences) console.log(difference)
  const seconds = ((Date.now() - startMs) / 1_000).toFixed(0)
  console.log(`${forms} forms, seed ${seed}, ${seconds} s: ${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
})

function progress(done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done}`)
}
