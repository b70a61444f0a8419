import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const DIRECTORY = 'docs/self-hosting'
const read = (name: string) => readFileSync(join(DIRECTORY, name), 'utf8')
const tool = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8' })

describe('the files for self-hosting', () => {
  it.each(['antesala.service', 'Dockerfile'])('start the server in %s with flags that it knows', name => {
    const { stdout: help } = tool('tools/serve.ts', '--help')
    const started = read(name)
      .split('\n')
      .filter(line => /^(ExecStart=|ENTRYPOINT|CMD)/.test(line))
      .join('\n')
    const flags = started.match(/--[a-z-]+/g) ?? []
    expect(flags).toContain('--storage')
    for (const flag of flags) expect(help, flag).toContain(`\n  ${flag} `)
  })

  it('name secrets by the variables that the server reads', () => {
    const { stdout: help } = tool('tools/serve.ts', '--help')
    for (const name of ['antesala.service', 'compose.yaml']) {
      const variables = read(name).match(/\b[A-Z_]+_FILE\b/g) ?? []
      expect(new Set(variables), name).toEqual(new Set(['ROOM_KEYS_FILE', 'ADMIN_TOKEN_FILE']))
      for (const variable of variables) expect(help).toContain(variable)
    }
  })

  it('have a configuration without a problem', () => {
    const { status, stderr, stdout } = tool('tools/check-config.ts', '--config', `${DIRECTORY}/antesala.toml`)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('1 room, no problem')
  })

  it('have the same hosts in the configuration and in nginx', () => {
    const hosts = [...read('antesala.toml').matchAll(/^(?:host|ADMIN_HOST) = "(.*)"/gm)].map(([, host]) => host)
    const served = [...read('nginx.conf').matchAll(/server_name ([^_].*);/g)].map(([, names]) =>
      names?.split(' ').sort(),
    )
    expect(served).toEqual([hosts.sort(), hosts.sort()])
  })

  it('copy nothing into the image that is not in the checkout, and keep secrets out', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
      ([, files]) => files?.split(' ') ?? [],
    )
    expect(copied).toEqual(['package.json', 'package-lock.json', '.'])
    for (const file of copied) expect(existsSync(file), file).toBe(true)
    expect(read('Dockerfile.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.dev.vars*', '.antesala']))
  })

  it('are linked from the page that explains them', () => {
    for (const name of ['antesala.service', 'Dockerfile', 'compose.yaml', 'nginx.conf', 'antesala.toml'])
      expect(read('README.md')).toContain(name)
  })
})
