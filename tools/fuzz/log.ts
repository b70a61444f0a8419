/** What workerd has logged beside what it may log. */

/** Lines that do not mean that anything is wrong with the Worker. */
const EXPECTED: readonly { readonly line: RegExp; readonly reason: string }[] = [
  {
    line: /^Received a connect event but we lack a handler|Handler does not export a connect\(\) function/,
    reason: 'a Worker cannot refuse CONNECT, so the runtime does',
  },
  {
    line: /^origin: Error: Network connection lost/,
    reason: 'the client goes away while its body is on the way to the origin',
  },
]

/** Returns each kind of unexpected line once, without what differs from time to time. */
export function unexpected(log: string): readonly string[] {
  // A stack, and a line that begins with a space, go on with the one before.
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
