/**
 * Three kinds of tests: pure code in node, objects and the gate inside workerd, and whole processes. The last share a
 * machine with the load they make, so they run after the others, one file after another.
 */
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { origin } from './test/support/workerd/origin.ts'
import { newRoomKeys } from './tools/support/secrets.ts'

export default defineConfig({
  test: {
    // When so much fails, a process is wedged: the rest would only wait for it.
    bail: 20,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{core,tokens,settings,tools}/**/*.test.ts'],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './test/support/workerd/wrangler.toml' },
            miniflare: {
              bindings: {
                ROOM_KEYS: await newRoomKeys(['invited', 'guests']),
                ADMIN_TOKEN: 'the-admin-token-of-the-test-rooms',
              },
              outboundService: origin,
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/{door,room,edge,admin}/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/{contract,browser,scenarios}/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 60_000,
          // A page shows what a poll said within a second, but for a machine that is busy with others.
          expect: { poll: { timeout: 5_000 } },
        },
      },
    ],
  },
})
