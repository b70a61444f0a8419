/** Hostile forms: bytes with a meaning in HTML, scripts, templates or forms, in every encoding of forms. */
import type { Random } from '../../simulation/random.ts'
import { pick } from '../mutations/choice.ts'

export interface HostileForm {
  /** The rest of the path, and the query. */
  readonly target: string
  readonly type: string
  readonly body: Buffer
  readonly origin: string
  readonly referer: string
}

const PIECES = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)//',
  '"><img src=x onerror=alert(1)>',
  "' onfocus=alert(1) autofocus '",
  '</main></body></html>',
  '<!--',
  '-->',
  ']]>',
  '{{form}}',
  '{{{style}}}',
  '{{> head}}',
  '{{#sent}}{{/sent}}',
  '$&$1$$`',
  'javascript:alert(1)',
  '&quot;&#x3c;',
  '\u2028\u2029\ufeff\u0000',
  '\r\nSet-Cookie: a=b\r\n\r\n',
  'waiting-room-form=e30.e30',
  'waiting-room-form=',
  '_charset_=&isindex=',
  '+ADw-script+AD4-alert(1)+ADw-/script+AD4-',
  'a=b&c=%zz&=&&;',
  '--x\r\nContent-Disposition: form-data; name="a\\"<b>"; filename="../x.html"\r\n\r\n<b>\r\n--x--\r\n',
]
const TYPES = [
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
  'Application/X-WWW-Form-URLEncoded',
]
const PARAMETERS = [
  '',
  '; charset=iso-8859-1',
  ';charset=utf-7',
  '; boundary="<script>"',
  '; boundary=x\'"><b>',
  '; a={{form}}',
]
const ORIGINS = ['https://bank.test', 'null', 'http://bank.test:8443', 'https://bank.test"><b>']
/** Few forms are large, because they take most of the time. */
const LARGE_SHARE = 0.002
const LARGE_BYTES = 262_144

export function hostileForm(random: Random): HostileForm {
  const text = () => Array.from({ length: random.below(4) }, () => pick(random, PIECES)).join('')
  return {
    // The path is simple. A path that servers read in several ways would belong to both rooms.
    target: `/a?q=${encodeURIComponent(text())}`,
    type: pick(random, TYPES) + pick(random, PARAMETERS),
    body: body(random),
    origin: pick(random, ORIGINS),
    referer: `https://bank.test/${encodeURI(text()).replaceAll('%00', '')}`.slice(0, 1_000),
  }
}

function body(random: Random): Buffer {
  const size = random.next() < LARGE_SHARE ? LARGE_BYTES : random.below(2_000)
  const parts: Buffer[] = []
  for (let length = 0; length < size; ) {
    const part = random.next() < 0.5 ? Buffer.from(pick(random, PIECES)) : bytes(random, 1 + random.below(60))
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts).subarray(0, size)
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}
