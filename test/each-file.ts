import { afterAll } from 'vitest'
import { doWhatWaits } from './afterwards.ts'

// vitest runs this for every test file.
afterAll(doWhatWaits)
