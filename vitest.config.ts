/**
 * Tests run in groups, one after another. Pure code keeps every core busy. Tests inside workerd and tests of whole programs wait more
 * than they work, so they run together, many files at once. Tests that make load, or judge how fast something answers, run last.
 */
import { availableParallelism } from 'node:os'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { configDefaults, defineConfig } from 'vitest/config'
import { origin } from './test/support/workerd/origin.ts'
import { newRoomKeys } from './tools/support/secrets.ts'
import { findProgram, findPrograms, PROGRAMS, type ProgramName } from './tools/testing/programs.ts'

/** How many files of waiting tests run at once. */
const WAITING = 4 * availableParallelism()
/** Files that make load, or judge how fast something answers. Those of one group run beside each other, and beside nothing else. */
const LOADS = [
  ['test/contract/{line,limits,health}.test.ts'],
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

/** A test that needs a program has the program's name as a tag, and is skipped where the program is missing. `npm test` lists these tests. */
const programs = await findPrograms()
const tags = (Object.keys(programs) as ProgramName[]).map(name => ({
  name,
  description: `needs ${name}, for ${PROGRAMS[name].purpose}`,
  ...(programs[name] === null ? { skip: true } : {}),
}))

/** Only one file needs it. That file is left out where there is none, because it is no test that was skipped. */
const firefox = await findProgram('firefox')
const IN_FIREFOX = firefox === null ? ['test/browser/firefox.test.ts'] : []

const ROOM_KEYS = await newRoomKeys(['invited', 'guests'])

export default defineConfig({
  test: {
    // When so much fails, a process is wedged: the rest would only wait for it.
    bail: 20,
    tags,
    provide: { programs: { ...programs, firefox } },
    projects: [
      {
        test: {
          name: 'unit',
          // Pure code leaves nothing behind, so files share a worker.
          isolate: false,
          // One more than cores: some files wait for processes or for the clock.
          maxWorkers: availableParallelism() + 1,
          // Some start a process, which takes its time on a busy machine.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          include: ['test/{core,runtime,settings,static,tokens,tools}/**/*.test.ts'],
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
                ALERT_RECEIVERS: JSON.stringify([{ name: 'chat', format: 'slack', url: 'https://chat.example/hook' }]),
              },
              outboundService: origin,
            },
          }),
        ],
        test: {
          name: 'workerd',
          maxWorkers: WAITING,
          sequence: { groupOrder: 1 },
          include: ['test/{door,room,edge,admin}/**/*.test.ts'],
          testTimeout: 60_000,
          // It waits until whatever goes on behind the answers is over.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'process',
          maxWorkers: WAITING,
          include: ['test/{contract,browser}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...LOADS.flat(), ...IN_FIREFOX],
          sequence: { groupOrder: 1 },
          ...processes,
        },
      },
      ...LOADS.map((include, index) => ({
        test: { name: `load-${index + 1}`, include, sequence: { groupOrder: 2 + index }, maxWorkers: 3, ...processes },
      })),
    ],
  },
})
