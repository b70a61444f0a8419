/** The links and paths in the documentation, and the paths of pages in the code. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter(file => file !== '' && existsSync(file))
const PAGES = FILES.filter(file => file.endsWith('.md'))
const textOf = (file: string) => readFileSync(file, 'utf8')
const withoutCode = (page: string) => page.replace(/^ *```.*?^ *```$/gms, '')

describe('a page of the documentation', () => {
  it.each(PAGES)('has no dead link to a file or a heading in %s', page => {
    expect(linksOf(page).filter(link => !leadsSomewhere(page, link))).toEqual([])
  })

  it.each(PAGES)('names only files that exist in %s', page => {
    const named = [
      ...withoutCode(textOf(page)).matchAll(/`((?:[\w.{},-]+\/)+[\w.{},-]+\.(?:ts|js|html|css|json|toml))`/g),
    ]
    const roots = ['.', 'src', dirname(page)]
    const isThere = (path: string) => roots.some(root => existsSync(join(root, path)))
    expect(named.flatMap(([, path = '']) => spelledOut(path)).filter(path => !isThere(path))).toEqual([])
  })
})

describe('a diagram of the documentation', () => {
  it.each(PAGES.filter(page => textOf(page).includes('```mermaid')))('names only files of src in %s', page => {
    const diagrams = textOf(page).match(/^```mermaid$.*?^```$/gms) ?? []
    const named = diagrams.flatMap(diagram => diagram.match(/[\w/-]+\.ts\b/g) ?? [])
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(name => !FILES.some(file => `/${file}`.endsWith(`/${name}`)))).toEqual([])
  })
})

describe('the list of pages', () => {
  it.each(['docs', 'docs/decisions'])('in %s contains each page of the folder', folder => {
    const listed = linksOf(`${folder}/README.md`)
    const pages = PAGES.filter(page => dirname(page) === folder && !page.endsWith('README.md'))
    expect(pages.map(page => basename(page)).filter(name => !listed.includes(name))).toEqual([])
  })
})

describe('the code', () => {
  it('names only pages that exist', () => {
    const named = FILES.filter(file => !file.endsWith('.md') && !/\.(png|webp|svg)$/.test(file)).flatMap(file =>
      [...textOf(file).matchAll(/\bdocs\/[\w/.-]+\.md\b/g)].map(([path]) => ({ file, path })),
    )
    expect(named.filter(({ path }) => !existsSync(path))).toEqual([])
  })
})

/** `a.{ts,js}` stands for two paths. */
function spelledOut(path: string): readonly string[] {
  const [, before, choices, after] = /^(.*)\{([^}]*)\}(.*)$/.exec(path) ?? []
  if (choices === undefined) return [path]
  return choices.split(',').flatMap(choice => spelledOut(`${before}${choice}${after}`))
}

/** The relative links of a page, with those to its own headings. */
function linksOf(page: string): readonly string[] {
  const text = withoutCode(textOf(page)).replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
    .map(([, link = '']) => link)
    .filter(link => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(file)) return false
  return anchor === undefined || anchorsOf(file).has(anchor)
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutCode(textOf(page)).matchAll(/^#{1,6} (.*)$/gm)) {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    let nth = 0
    while (anchors.has(nth === 0 ? anchor : `${anchor}-${nth}`)) nth++
    anchors.add(nth === 0 ? anchor : `${anchor}-${nth}`)
  }
  return anchors
}
