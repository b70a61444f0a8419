/**
 * Browsers inside of apps that are known to lose cookies. Many forget them when the app closes, and visitors often want
 * to continue in their usual browser. In a browser that is not listed, visitors just get no hint.
 */
const IN_APP: Readonly<Record<string, RegExp>> = {
  Instagram: /\bInstagram\b/,
  Facebook: /\bFB(?:AN|AV|_IAB)\b/,
  TikTok: /\b(?:musical_ly|trill|BytedanceWebview|TikTok)/i,
  Line: /\bLine\/\d/,
  WeChat: /\bMicroMessenger\b/,
}

/** A longer User-Agent is not searched. Real ones are shorter than this. */
const LENGTH_MAX = 1_000

/** True if a page is shown in an app's browser, as far as the User-Agent reveals it. */
export function isInApp(headers: Headers): boolean {
  const agent = headers.get('User-Agent')?.slice(0, LENGTH_MAX) ?? ''
  return Object.values(IN_APP).some(pattern => pattern.test(agent))
}
