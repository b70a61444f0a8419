/** Files of `static/` are text modules of the Worker (see `rules` in wrangler.toml). */
declare module '*.html' {
  const text: string
  export default text
}
declare module '*.css' {
  const text: string
  export default text
}
declare module '*.js' {
  const text: string
  export default text
}
