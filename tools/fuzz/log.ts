/** Log lines of workerd that should not be there. */

/** Lines that do not mean a fault of the Worker. */
const EXPECTED: readonly { readonly line: RegExp; readonly reason: string }[] = [
  {
    line: /^Received a connect event but we lack a handler|Handler does not export a connect\(\) function/,
    reason: 'a Worker cannot refuse CONNECT, so the runtime does',
  },
  {
    line: /"event":"origin-unreachable".*Network connection lost/,
    reason: 'the client goes away while its body is on the way to the origin',
  },
  {
    line: /"event":"sold-out"/,
    reason: 'one of the rooms has nothing left',
  },
]

/** Returns each kind of unexpected line once, without the parts that vary. */
export function unexpected(log: string): readonly string[] {
  // The lines of a stack, and lines that begin with a space, belong to the line before.
  const lines = log.split('\n').filter(line => /^\S/.test(line) && !line.startsWith('stack:'))
  const others = lines.filter(line => EXPECTED.every(expected => !expected.line.test(line)))
  return [...new Set(others.map(wordsOf))]
}

function wordsOf(line: string): string {
  return line
    .replace(/https?:.*/, 'URL')
    .replace(/(?<=reference = )\w+/, '...')
    .replaceAll(/\d+/g, 'N')
}
