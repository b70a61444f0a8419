/** Runs command lines of tools one after another. It reads them as a JSON array, and prints the outcomes. */
import { readFileSync } from 'node:fs'
import { type Outcome, runTool } from './tool.ts'

const lines = JSON.parse(readFileSync(0, 'utf8')) as string[][]
const outcomes: Outcome[] = []
for (const [file = '', ...args] of lines) outcomes.push(await runTool(file, ...args))
console.log(JSON.stringify(outcomes))
// A tool may have left a timer that would keep the process alive.
process.exit(0)
