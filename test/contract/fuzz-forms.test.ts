import { expect, it } from 'vitest'
import { fuzzForms } from '../../tools/fuzz/forms/run.ts'

it('no page shows anything of a hostile form, and each form reaches the origin byte for byte', async () => {
  expect(await fuzzForms({ forms: 400, seed: 2 })).toEqual([])
})
