/** Checks the variables in an operator's own page, because a misspelt variable would leave a gap in the page. */
import Mustache from 'mustache'
import { nearest } from '../../src/settings/suggest/nearest.ts'

/** First the variables of Cloudflare Waiting Room, then our own (docs/custom-page.md). */
export const TEMPLATE_VARIABLES: readonly string[] = [
  ...['inWaitingRoom', 'waitTime', 'waitTimeKnown', 'waitTimeFormatted', 'waitTimeHours', 'waitTimeHourMinutes'],
  ...['waitTime25Percentile', 'waitTime50Percentile', 'waitTime75Percentile', 'queueIsFull', 'queueAll'],
  ...['lastUpdated', 'refreshIntervalSeconds', 'queueingMethod', 'isFIFOQueue', 'isRandomQueue'],
  ...['isPassthroughQueue', 'isRejectQueue', 'isEventActive', 'isEventPrequeueing', 'timeUntilEventStart'],
  ...['timeUntilEventStartFormatted', 'timeUntilEventEnd', 'timeUntilEventEndFormatted', 'shuffleAtEventStart'],
  ...['turnstile', 'infiniteQueue', 'position', 'peopleAhead', 'called', 'claimBy', 'missed', 'held', 'soldOut'],
  ...['slower', 'reason', 'drawAt', 'lane', 'invitation', 'requeued', 'ended', 'eventName', 'eventStartsAt'],
  ...['eventEndsAt', 'pollAfterSeconds', 'statusUrl', 'enterUrl', 'form', 'antesala', 'state', 'message'],
  ...['messageLanguage', 'lang', 'dir', 'site', 'sent'],
]

type Tokens = readonly (readonly [kind: string, name: string, start: number, end: number, inside?: Tokens])[]

/** Checks a valid template. Returns advice on each variable that no page has. */
export function adviceOnTemplate(template: string): readonly string[] {
  const unknown = new Set(namesIn(new Mustache.Writer().parse(template) as unknown as Tokens))
  for (const name of TEMPLATE_VARIABLES) unknown.delete(name)
  return [...unknown].map(name => {
    const meant = nearest(name, TEMPLATE_VARIABLES)
    return `{{${name}}} is no variable and stays empty${meant === null ? '' : `: did you mean {{${meant}}}?`}`
  })
}

function namesIn(tokens: Tokens): readonly string[] {
  return tokens.flatMap(([kind, name, , , inside = []]) => {
    const own = ['name', '&', '{', '#', '^'].includes(kind) && name !== '.' ? [name.split('.')[0] ?? name] : []
    return [...own, ...namesIn(inside)]
  })
}
