/** Other methods and versions. */
import type { Random } from '../../simulation/random.ts'
import type { Draft } from '../draft.ts'
import { pick } from './choice.ts'

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'PURGE',
  'QUERY',
  'COPY',
  'LOCK',
  'SEARCH',
  'get',
  'Get',
  'options',
  'post',
  'BREW',
  'TRACK',
  'DEBUG',
  'GETS',
  'G ET',
  '',
  'GET\x00',
  'G(T',
  '\xc3\xa9',
  'X'.repeat(300),
]
const VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.1 ',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.10',
  'HTTP/11',
  'HTTPS/1.1',
  '',
  'x HTTP/1.1',
]

export function method(draft: Draft, random: Random): Draft {
  return { ...draft, method: pick(random, METHODS) }
}

export function version(draft: Draft, random: Random): Draft {
  return random.chance(0.2) ? { ...draft, lineEnd: '\n' } : { ...draft, version: pick(random, VERSIONS) }
}
