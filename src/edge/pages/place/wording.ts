/** The texts of a place. In the waiting page's script, `show` makes the same texts from the answer to a poll. */
import type { Texts } from '../../../settings/texts/keys.ts'
import type { Language } from '../../texts/language.ts'
import { countdownInWords, filled } from '../../texts/words.ts'
import type { PlaceJson } from '../place-json.ts'

/** A longer place is set smaller, and words smaller still. The page's script has the same bounds. */
const PLACE_LENGTHS = { long: 6, words: 10 } as const

export function wording(place: PlaceJson, language: Language, timeZone: string) {
  const { texts } = language
  if (typeof place.event?.startsInSeconds === 'number')
    return beforeTheStart(place.event, place.cfWaitingRoom, language, timeZone)
  const { state, held, soldOut, slower, reason, position, drawAt, event, cfWaitingRoom } = place
  const text = stateText(place, texts)
  const number = text.place ?? (position === null ? '' : language.number(position))
  const known = cfWaitingRoom.waitTimeKnown ? cfWaitingRoom.waitTimeFormatted : texts.waitUnknown
  const why = state === 'waiting' && slower !== null ? ` ${texts.slower[slower]}` : ''
  const paused =
    reason === 'outage' ? texts.outage : soldOut ? texts.rejected.soldOut.lead : (text.paused ?? texts.paused)
  const lead = held || reason === 'outage' || soldOut ? paused : text.lead + why
  return {
    headline: text.headline,
    ...texts.start.after,
    lead: drawAt === null ? lead : event?.draw ? texts.start.after.lead : `${lead} ${texts.page.drawing}`,
    title: number === '' ? text.headline : filled(text.title, { place: number }),
    placeText:
      number !== ''
        ? number
        : drawAt === null
          ? texts.pending
          : event?.draw
            ? texts.start.after.drawing
            : texts.page.undrawn,
    placeClass: placeClass(number),
    waitText: held ? texts.waitUnknown : (text.wait ?? known),
  }
}

/**
 * Returns the texts before the start of an event, to which the page counts down. Without scripts the page shows the
 * time left in words, and the start in the time zone of the visitor.
 */
function beforeTheStart(
  { draw, startsAt, startsInSeconds }: NonNullable<PlaceJson['event']>,
  { timeUntilEventStartFormatted: time }: PlaceJson['cfWaitingRoom'],
  language: Language,
  timeZone: string,
) {
  const { headline, drawn, byArrival, label, beside, title, now } = language.texts.start.before
  const isNow = startsInSeconds === 0
  return {
    headline,
    label,
    beside,
    lead: draw ? drawn : byArrival,
    title: isNow ? now : filled(title, { time }),
    placeText: isNow ? now : capitalised(time, language),
    placeClass: isNow ? 'pending' : 'words',
    waitText: language.moment(Date.parse(startsAt), timeZone),
  }
}

/** Returns the texts of a state. A called visitor reads of being next only if no other visitor is called. */
function stateText({ state, othersCalled }: PlaceJson, texts: Texts): StateText {
  const text = texts[state]
  if (state !== 'called' || othersCalled === 0) return text
  const { among: place, headline: title } = texts.called
  return { ...text, place, title }
}

function placeClass({ length }: string): string {
  if (length === 0) return 'pending'
  return length > PLACE_LENGTHS.words ? 'words' : length > PLACE_LENGTHS.long ? 'long' : ''
}

interface StateText {
  readonly headline: string
  readonly lead: string
  readonly title: string
  readonly paused?: string
  readonly place?: string
  readonly wait?: string
}

/** Returns the time of day at which the wait ends. It is empty if that time or the visitor's time zone is not known. */
export function likelyText({ likelyAt }: PlaceJson, language: Language, timeZone: string | undefined): string {
  const time = likelyAt && timeZone ? language.time(Date.parse(likelyAt), timeZone) : null
  return time === null ? '' : filled(language.texts.time.about, { time })
}

/** Returns the texts for a visitor who is asked for a confirmation to go in. */
export function turnTexts({ claimInSeconds }: PlaceJson, language: Language) {
  const { headline } = language.texts.admitted
  const time = countdownInWords((claimInSeconds ?? 0) * 1_000, language)
  return { headline, title: headline, lead: filled(language.texts.turn, { time }) }
}

function capitalised(text: string, { tag }: Language): string {
  return text.slice(0, 1).toLocaleUpperCase(tag) + text.slice(1)
}
