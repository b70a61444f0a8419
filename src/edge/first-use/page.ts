/** The challenge on the page: its texts, its scripts, and the challenge itself as data for the script. */
import challengeJs from '../../../static/challenge.js'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import type { Language } from '../texts/language.ts'
import type { SetChallenge } from './challenge.ts'

/** The source of the page's script. */
export const challengeScript = challengeJs

/** Returns the provider of a room's challenges. A challenge may come with any poll, so each page has its script. */
export function providerOf({ challenge }: RoomConfig): 'none' | 'pow' | 'turnstile' {
  return challenge.when === 'off' ? 'none' : challenge.provider
}

/** The facts about a visitor in line that the challenge on the page needs. */
interface InLine {
  readonly room: RoomView
  readonly why: string
  readonly challenge: SetChallenge | null
}

/** Returns the challenge's variables for the page. A room without challenges has none. */
export function challengeVariables(visit: Visit, { room, why, challenge }: InLine, { texts }: Language) {
  const provider = providerOf(room.settings.config)
  if (provider === 'none') return {}
  const { lead: calculates, failed, slow, plain, widget } = texts.challenge
  const lead = challenge && 'turnstile' in challenge ? widget : calculates
  const worker = `${visit.deployment.controlPrefix}/challenge-worker.js`
  return {
    challenges: true,
    isUnsolved: challenge !== null,
    hasWidget: provider === 'turnstile',
    slowText: slow,
    plainText: plain,
    // `<` is escaped, so that no data can end the script early.
    challengeData: JSON.stringify({ worker, challenge, texts: { lead: calculates, failed, widget } }).replace(
      /</g,
      '\\u003c',
    ),
    ...(why === 'failed-challenge' ? { lead: failed } : challenge ? { lead } : {}),
  }
}
