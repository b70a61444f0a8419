/**
 * The texts that visitors read: their keys, and the values that each text names as `{name}`. `static/texts` has a file
 * of them for each language.
 */
import type en from '../../../static/texts/en.json'

/** One text, or one for each plural form of a language (`Intl.PluralRules`). */
export type PluralText = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string }

type Shape<Node> = {
  readonly [Key in keyof Node]: Node[Key] extends string
    ? string
    : Node[Key] extends { other: string }
      ? PluralText
      : Shape<Node[Key]>
}
/** All texts of a language, as its file has them. */
export type Texts = Shape<typeof en>

type KeysOf<Node> = {
  [Key in keyof Node & string]: Node[Key] extends string | { other: string } ? Key : `${Key}.${KeysOf<Node[Key]>}`
}[keyof Node & string]
/** The path of one text: `waiting.headline`. */
export type TextKey = KeysOf<typeof en>

/** Every key, with the names of the values in its text. */
export const TEXT_KEYS = {
  'waiting.headline': [],
  'waiting.lead': [],
  'waiting.title': ['place'],
  'called.headline': [],
  'called.lead': [],
  'called.place': [],
  'called.wait': [],
  'called.title': [],
  'missed.headline': [],
  'missed.lead': [],
  'missed.paused': [],
  'missed.title': ['place'],
  'admitted.headline': [],
  'admitted.lead': [],
  'admitted.action': [],
  'none.headline': [],
  'none.lead': [],
  'none.action': [],
  paused: [],
  outage: [],
  'slower.rate': [],
  'slower.full': [],
  pending: [],
  waitUnknown: [],
  said: ['place', 'wait'],
  fresh: ['time'],
  lost: [],
  found: [],
  'start.before.headline': [],
  'start.before.drawn': [],
  'start.before.byArrival': [],
  'start.before.label': [],
  'start.before.beside': [],
  'start.before.title': ['time'],
  'start.before.now': [],
  'start.after.label': [],
  'start.after.beside': [],
  'start.after.drawing': [],
  'start.after.lead': [],
  'page.way': [],
  'page.justNow': [],
  'page.requeued': [],
  'page.sent': [],
  'page.drawCheck': [],
  'page.drawProof': ['url'],
  'page.foot': [],
  'page.withoutScripts': ['count'],
  'page.drawing': [],
  'page.undrawn': [],
  'page.priority': [],
  'page.invalidInvitation': [],
  'rejected.noPlace.headline': [],
  'rejected.noPlace.lead': [],
  'rejected.soldOut.headline': [],
  'rejected.soldOut.lead': [],
  'rejected.uninvited.headline': [],
  'rejected.uninvited.lead': [],
  'rejected.invalidInvitation.headline': [],
  'rejected.invalidInvitation.lead': [],
  'rejected.sent': [],
  'rejected.foot': [],
  'limited.headline': [],
  'limited.session': [],
  'limited.network': [],
  'limited.never': [],
  'limited.left': [],
  'limited.sent': [],
  'limited.action': [],
  'limited.reloads': [],
  'limited.comeBack': [],
  'limited.now': [],
  'holding.outage.headline': [],
  'holding.outage.lead': [],
  'holding.blocked.headline': [],
  'holding.blocked.lead': [],
  'holding.shed.headline': [],
  'holding.shed.lead': [],
  'holding.outageOutside.headline': [],
  'holding.outageOutside.lead': [],
  'holding.blockedOutside.headline': [],
  'holding.blockedOutside.lead': [],
  'holding.sent': [],
  'holding.retry': ['count'],
  'time.unknown': [],
  'time.short': [],
  'time.range': ['low', 'high'],
  'time.upTo': ['count'],
  'time.second': ['count'],
  'time.minute': ['count'],
  'time.hour': ['count'],
  'time.day': ['count'],
  'problems.waiting.title': [],
  'problems.waiting.detail': [],
  'problems.uninvited.title': [],
  'problems.uninvited.detail': [],
  'problems.noPlace.title': [],
  'problems.noPlace.detail': [],
  'problems.outage.title': [],
  'problems.outage.detail': [],
  'problems.outageOutside.title': [],
  'problems.outageOutside.detail': [],
  'problems.blocked.title': [],
  'problems.blocked.detail': [],
  'problems.shed.title': [],
  'problems.shed.detail': [],
  'problems.limited.title': [],
  'problems.limited.outside': [],
  'problems.limited.never': ['policy'],
  'problems.limited.concurrent': [],
  'problems.limited.session': ['policy', 'count', 'seconds'],
  'problems.limited.network': ['policy', 'count', 'seconds'],
  'problems.timeout': [],
  'problems.unreachable': [],
  'problems.tooFast': [],
  'problems.otherSite': [],
} as const satisfies Readonly<Record<TextKey, readonly string[]>>
