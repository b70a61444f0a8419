/** Advice on bypass rules, and on rules that are missing. Advice never refuses. */
import type { RoomConfig } from '../schema.ts'
import { isKnownCategory, SEARCH_ENGINES } from './bots.ts'
import type { BypassRule } from './rule.ts'

/** Returns advice that names the rule, without the room. */
export function adviceOnBypass(room: RoomConfig): string[] {
  const advice: string[] = []
  if (room.bypass.length === 0)
    advice.push('no bypass rule. Webhooks and other machines without a session wait in line like a visitor')
  room.bypass.forEach((rule, index) => {
    advice.push(...adviceOnBots(rule).map(text => `bypass[${index}].${text}`))
  })
  if ([200, 202].includes(room.queueing_status_code) && !room.bypass.some(letsSearchEnginesIn)) {
    advice.push(
      `queueing_status_code = ${room.queueing_status_code} and no rule for search engines: a crawler in line takes the waiting page for the page, which its noindex removes from the index. Add { verified_crawler = true }, or answer 503`,
    )
  }
  return advice
}

function adviceOnBots({ verified_crawler, verified_bot = [] }: BypassRule): string[] {
  const unknown = verified_bot.filter(category => !isKnownCategory(category))
  return [
    ...(verified_crawler
      ? ['verified_crawler lets in search engines only. Name other verified bots in verified_bot, or they wait in line']
      : []),
    ...unknown.map(
      category => `verified_bot: "${category}" is no category of Cloudflare that is known here, and may match no bot`,
    ),
  ]
}

function letsSearchEnginesIn({ verified_crawler, verified_bot = [] }: BypassRule): boolean {
  return verified_crawler === true || verified_bot.some(category => category.toLowerCase() === SEARCH_ENGINES)
}
