/** Advice on bypass rules, and on rules that are missing. Advice never refuses settings. */
import type { RoomConfig } from '../schema.ts'
import { isKnownCategory, SEARCH_ENGINES } from './bots.ts'
import type { BypassRule } from './rule.ts'

/** A secret value shorter than this can be guessed. */
const SECRET_MIN = 16

/** Returns advice without the name of the room. */
export function adviceOnBypass(room: RoomConfig): string[] {
  const { bypass, protected_paths, queueing_status_code } = room
  const advice: string[] = []
  if (protected_paths.length > 0 && !bypass.some(takesNotifications)) {
    advice.push(
      'protected_paths, and no bypass rule for the notifications of a payment provider: a POST without a session waits in line, and the order stays open',
    )
  } else if (bypass.length === 0)
    advice.push('no bypass rule. Webhooks and other machines without a session wait in line like a visitor')
  bypass.forEach((rule, index) => {
    advice.push(
      ...[...adviceOnForgeries(rule), ...adviceOnAll(rule), ...adviceOnBots(rule)].map(
        text => `bypass[${index}]${text}`,
      ),
    )
  })
  if ([200, 202].includes(queueing_status_code) && !bypass.some(letsSearchEnginesIn)) {
    advice.push(
      `queueing_status_code = ${queueing_status_code}, and no rule for search engines: a crawler in line gets the waiting page instead of the real one, and noindex on it removes the real page from the index. Add { verified_crawler = true }, or answer 503`,
    )
  }
  return advice
}

/**
 * Returns advice on a rule that visitors can satisfy by forging their request. Only a secret in a request proves
 * something.
 */
function adviceOnForgeries({ preset, path, cookie, header, user_agent, ...others }: BypassRule): string[] {
  const isProven = Boolean(others.cidr || others.verified_bot || others.verified_crawler)
  if (preset !== undefined || isProven || isSecret(header) || isSecret(cookie)) return []
  const cure = `Give it a value of at least ${SECRET_MIN} characters that only you know, or add cidr`
  if (cookie) {
    return [
      `.cookie can be forged: each visitor who sends ${cookie.name} comes in. A name that a program of the site gives, such as that of a login, is no secret. ${cure}, or let staff in by an invitation`,
    ]
  }
  if (path !== undefined) return []
  if (header) return [`.header can be forged: each visitor who sends ${header.name} comes in. ${cure}, or a path`]
  if (user_agent) return ['.user_agent can be forged: each visitor can send it, and comes in. Add a path, or cidr']
  return [' has no path and nothing that a visitor would have to prove: it lets whole crowds in']
}

/** Returns advice on a rule for every path that has no other condition: it makes the room useless. */
function adviceOnAll({ path, ...others }: BypassRule): string[] {
  if (path !== '/*' && path !== '*') return []
  const hasMore = Object.values(others).some(condition => condition !== undefined)
  return hasMore ? [] : ['.path lets every request by: no visitor ever waits. Name the paths of machines only']
}

function isSecret(pair: { readonly value?: string | undefined } | undefined): boolean {
  return (pair?.value?.length ?? 0) >= SECRET_MIN
}

/** True if the rule lets in a machine that sends a POST. */
function takesNotifications({ preset, methods, cookie, verified_crawler }: BypassRule): boolean {
  if (preset !== undefined) return preset !== 'wordpress'
  return (methods?.includes('POST') ?? true) && !cookie && !verified_crawler
}

function adviceOnBots({ verified_crawler, verified_bot = [] }: BypassRule): string[] {
  const unknown = verified_bot.filter(category => !isKnownCategory(category))
  return [
    ...(verified_crawler
      ? [
          '.verified_crawler lets in search engines only. Name other verified bots in verified_bot, or they wait in line',
        ]
      : []),
    ...unknown.map(
      category => `.verified_bot: "${category}" is no category of Cloudflare that is known here, and may match no bot`,
    ),
  ]
}

function letsSearchEnginesIn({ verified_crawler, verified_bot = [] }: BypassRule): boolean {
  return verified_crawler === true || verified_bot.some(category => category.toLowerCase() === SEARCH_ENGINES)
}
