/**
 * Files run beside each other, so that no core is idle while some of them wait. Files that make load, or judge how fast
 * something answers, run last, in small groups.
 */
import { availableParallelism } from 'node:os'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { configDefaults, defineConfig } from 'vitest/config'
import { origin } from './test/support/workerd/origin.ts'
import { bundleRehearsal } from './tools/support/rehearsal-bundle.ts'
import { newRoomKeys } from './tools/support/secrets.ts'
import { findProgram, findPrograms, PROGRAMS, type ProgramName } from './tools/testing/programs.ts'

/** How many files run at once. Most of them wait more than they work. */
const FILES = 4 * availableParallelism()
/** Each of these groups runs alone. */
const LOADS = [
  ['test/contract/{line,limits}.test.ts'],
  ['test/contract/health.test.ts'],
  // A thousand visitors at once.
  ['test/contract/crowd.test.ts'],
]
const processes = {
  globalSetup: './test/support/node/built.ts',
  testTimeout: 90_000,
  hookTimeout: 60_000,
  // A page shows what a poll said within a second, but for a machine that is busy with others.
  expect: { poll: { timeout: 5_000 } },
}

const needed = await findPrograms()
const programs = { ...needed, firefox: needed.firefox ?? (await findProgram('firefox')) }
/** Only one file needs it. Where Firefox is optional and missing the file is left out, because it is no test that was skipped. */
const isLeftOut = programs.firefox === null && !('firefox' in needed)
const IN_FIREFOX = isLeftOut ? ['test/browser/firefox.test.ts'] : []

/** A test that needs a program has the program's name as a tag, and is skipped where the program is missing. `npm test` lists these tests. */
const tags = (Object.keys(programs) as ProgramName[]).map(name => ({
  name,
  description: `needs ${name}, for ${PROGRAMS[name].purpose}`,
  ...(programs[name] === null ? { skip: true } : {}),
}))

// Tests of the dashboard serve it as a file.
await bundleRehearsal()

/** See `test/support/properties.ts`. */
const { PROPERTY_SEED = '20261201' } = process.env
const ROOM_KEYS = await newRoomKeys(['invited', 'guests'])

export default defineConfig({
  test: {
    // When so much fails, a process is wedged: the rest would only wait for it. Groups and files of failed tests count too.
    bail: 60,
    maxWorkers: FILES,
    tags,
    provide: { programs, propertySeed: PROPERTY_SEED === 'random' ? null : Number(PROPERTY_SEED) },
    projects: [
      {
        test: {
          name: 'unit',
          // Pure code leaves nothing behind, so files share a worker.
          isolate: false,
          // Some start a process, which takes its time on a busy machine.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          include: ['test/{core,rehearsal,runtime,settings,static,tokens,tools}/**/*.test.ts'],
          setupFiles: './test/support/properties.ts',
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './test/support/workerd/wrangler.toml' },
            miniflare: {
              bindings: {
                ROOM_KEYS,
                ADMIN_TOKEN: 'the-admin-token-of-the-test-rooms',
                TURNSTILE_SECRET: 'the-secret-of-turnstile',
                ALERT_RECEIVERS: JSON.stringify([{ name: 'chat', format: 'slack', url: 'https://chat.example/hook' }]),
              },
              outboundService: origin,
            },
          }),
        ],
        test: {
          name: 'workerd',
          // A worker of each file would cost two seconds of the processor. `reset.ts` clears the objects between files.
          isolate: false,
          include: ['test/{door,room,edge,admin}/**/*.test.ts'],
          setupFiles: ['./test/support/properties.ts', './test/support/workerd/reset.ts'],
          testTimeout: 60_000,
          // It waits until whatever goes on behind the answers is over.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/{contract,browser}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...LOADS.flat(), ...IN_FIREFOX],
          ...processes,
        },
      },
      ...LOADS.map((include, index) => ({
        test: { name: `load-${index + 1}`, include, sequence: { groupOrder: 1 + index }, ...processes },
      })),
    ],
  },
})
