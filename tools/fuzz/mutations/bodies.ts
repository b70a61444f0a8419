/** Bodies where there should be none, and framing that servers may read in two ways. */
import type { Random } from '../../simulation/random.ts'
import { type Draft, lengthOf, withLines, withoutHeader } from '../draft.ts'
import { pick } from './choice.ts'

/** A second request inside the first. If a server reads it as a request, it must pass the gate like any other. */
const HIDDEN = 'GET /held/hidden?fz={id} HTTP/1.1\r\nHost: site.test\r\n\r\n'
const CHUNKED = `4\r\nfuzz\r\n3;a=b\r\ning\r\n0\r\n\r\n`

const CODINGS = ['identity', 'xchunked', 'chunked, identity', 'gzip, chunked', '\x0bchunked', 'chunked;a']

type Framing = (text: string, random: Random) => Pick<Draft, 'body' | 'content'> & { readonly lines: readonly string[] }

/** Framing that can be read in one way only. */
const PLAIN: readonly Framing[] = [
  text => ({ lines: [`Content-Length: ${lengthOf(text)}`], body: text, content: text }),
  () => ({ lines: ['Transfer-Encoding: chunked'], body: CHUNKED, content: 'fuzzing' }),
  () => ({ lines: ['Content-Length: 0'], body: '', content: '' }),
  () => ({
    lines: ['transfer-encoding: CHUNKED', 'Trailer: X-T'],
    body: CHUNKED.replace(/\r\n$/, 'X-T: 1\r\n\r\n'),
    content: 'fuzzing',
  }),
]

const DOUBTFUL: readonly Framing[] = [
  text => ({
    lines: [`Content-Length: ${lengthOf(text)}`, 'Transfer-Encoding: chunked'],
    body: CHUNKED + HIDDEN,
    content: null,
  }),
  () => ({ lines: ['Content-Length: 4', 'Transfer-Encoding: chunked'], body: `0\r\n\r\n${HIDDEN}`, content: null }),
  (_, random) => ({
    lines: [`Transfer-Encoding: ${pick(random, CODINGS)}`],
    body: CHUNKED,
    content: null,
  }),
  () => ({ lines: ['Transfer-Encoding : chunked'], body: CHUNKED, content: null }),
  () => ({ lines: ['Transfer_Encoding: chunked', 'Content-Length: 5'], body: `0\r\n\r\n${HIDDEN}`, content: null }),
  () => ({ lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], body: CHUNKED, content: null }),
  (text, random) => ({
    lines: [`Content-Length: ${pick(random, ['+3', '-1', '0x3', '3, 3', '3,4', '1e1', '', '99999999999999999999'])}`],
    body: text,
    content: null,
  }),
  text => ({ lines: ['Content-Length: 3', 'Content-Length: 4'], body: text, content: null }),
  text => ({ lines: [`Content-Length: ${lengthOf(text) + 40}`], body: text, content: null }),
  text => ({ lines: [`Content-Length: ${lengthOf(text)}`], body: text + HIDDEN, content: null }),
  () => ({ lines: [], body: HIDDEN, content: null }),
  () => ({ lines: ['Transfer-Encoding: chunked'], body: `ffffffffffffffff\r\n${HIDDEN}`, content: null }),
  () => ({ lines: ['Transfer-Encoding: chunked'], body: `zz\r\n${HIDDEN}`, content: null }),
  () => ({ lines: ['Transfer-Encoding: chunked'], body: '5\r\nfuz', content: null }),
]

export function body(draft: Draft, random: Random): Draft {
  const bare = withoutHeader(withoutHeader(draft, 'content-length'), 'transfer-encoding')
  const framing = pick(random, random.chance(0.5) ? PLAIN : DOUBTFUL)
  const { lines, ...rest } = framing(pick(random, ['fuzz', 'a=b', HIDDEN]), random)
  return { ...withLines(bare, ...lines), ...rest }
}
