/**
 * The browsers inside of apps that are known to lose cookies: many forget them when the app closes, and their visitors
 * often want to go on in a browser of their own. A browser that is not listed only gets no hint.
 */
const IN_APP: Readonly<Record<string, RegExp>> = {
  Instagram: /\bInstagram\b/,
  Facebook: /\bFB(?:AN|AV|_IAB)\b/,
  TikTok: /\b(?:musical_ly|trill|BytedanceWebview|TikTok)/i,
  Line: /\bLine\/\d/,
  WeChat: /\bMicroMessenger\b/,
}

/** A browser's own text is shorter than this. */
const LENGTH_MAX = 1_000

/** Whether a page is shown in the browser of an app, as far as its User-Agent tells. */
export function isInApp(headers: Headers): boolean {
  const agent = headers.get('User-Agent')?.slice(0, LENGTH_MAX) ?? ''
  return Object.values(IN_APP).some(pattern => pattern.test(agent))
}
