/** The challenge on the page: its texts, its scripts, and the challenge itself for the script. */
import challengeJs from '../../../static/challenge.js'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomView } from '../room-client/room-client.ts'
import type { Language } from '../texts/language.ts'
import type { SetChallenge } from './challenge.ts'

/** The source of the page's script. */
export const challengeScript = challengeJs

/** Whether the pages of a room have the script. A challenge may come with any poll. */
export function hasChallenges({ challenge }: RoomConfig): boolean {
  return challenge.when !== 'off'
}

/** A visitor in line, as far as it matters to the challenge on the page. */
interface InLine {
  readonly room: RoomView
  readonly why: string
  readonly challenge: SetChallenge | null
}

/** Returns the variables of the page. There are none in a room without challenges. */
export function challengeVariables(visit: Visit, { room, why, challenge }: InLine, { texts }: Language) {
  if (!hasChallenges(room.settings.config)) return {}
  const { lead, failed, slow } = texts.challenge
  const worker = `${visit.deployment.controlPrefix}/challenge-worker.js`
  return {
    challenges: true,
    isUnsolved: challenge !== null,
    slowText: slow,
    // No `<` can end the script early.
    challengeData: JSON.stringify({ worker, challenge, texts: { lead, failed } }).replace(/</g, '\\u003c'),
    ...(why === 'failed-challenge' ? { lead: failed } : challenge ? { lead } : {}),
  }
}
