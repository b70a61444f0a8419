import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

let runs = 0

/** Runs a tool in this process, as `node <file> <arguments>` would run it. Tools run one after another. */
export async function runTool(file: string, ...args: readonly string[]): Promise<Outcome> {
  const { log, error } = console
  const { argv, exitCode } = process
  let stdout = ''
  let stderr = ''
  console.log = (...words: unknown[]) => {
    stdout += `${words.join(' ')}\n`
  }
  console.error = (...words: unknown[]) => {
    stderr += `${words.join(' ')}\n`
  }
  process.argv = [process.execPath, resolve(file), ...args]
  process.exitCode = 0
  try {
    // The query makes each import a new module, so that the tool runs again.
    await import(`${pathToFileURL(resolve(file))}?${runs++}`)
    return { status: Number(process.exitCode), stdout, stderr }
  } catch (thrown) {
    return { status: 1, stdout, stderr: `${stderr}${(thrown as Error).stack}\n` }
  } finally {
    process.argv = argv
    process.exitCode = exitCode
    console.log = log
    console.error = error
  }
}
