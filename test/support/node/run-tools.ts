/**
 * Runs command lines of tools one after another in this process, as `node <file> <arguments>` would run each. Prints
 * the output and the exit code of each. Standard input is a JSON array of command lines.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const lines = JSON.parse(readFileSync(0, 'utf8')) as string[][]
const print = console.log
const outcomes = []
for (const [index, [file = '', ...args]] of lines.entries()) outcomes.push(await outcomeOf(resolve(file), args, index))
print(JSON.stringify(outcomes))
// A tool may have left a timer that would keep the process alive.
process.exit(0)

async function outcomeOf(file: string, args: readonly string[], index: number) {
  let stdout = ''
  let stderr = ''
  console.log = (...words: unknown[]) => {
    stdout += `${words.join(' ')}\n`
  }
  console.error = (...words: unknown[]) => {
    stderr += `${words.join(' ')}\n`
  }
  process.argv = [process.execPath, file, ...args]
  process.exitCode = 0
  // The query makes each import a new module, so that the tool runs again.
  await import(`${pathToFileURL(file)}?${index}`).catch((error: Error) => {
    stderr += `${error.stack}\n`
    process.exitCode = 1
  })
  return { status: process.exitCode, stdout, stderr }
}
