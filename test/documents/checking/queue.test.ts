import { expect, it } from 'vitest'
import { createFairQueue } from '../../../src/documents/checking/queue.ts'

function takeAll(queue: ReturnType<typeof createFairQueue<string>>): string {
  const taken: string[] = []
  for (let next = queue.take(); next; next = queue.take()) taken.push(next.item)
  return taken.join(' ')
}

it('serves senders in turn, and each in its order', () => {
  const queue = createFairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(item[0]!, item)
  expect(queue.size).toBe(6)
  expect(takeAll(queue)).toBe('a1 b1 c1 a2 c2 a3')
  expect(queue.size).toBe(0)
})

it('serves first what was begun before', () => {
  const queue = createFairQueue<string>()
  queue.add('a', 'a1')
  queue.putBack('b', 'b0')
  expect([queue.size, queue.sizeOf('b')]).toEqual([2, 1])
  expect(takeAll(queue)).toBe('b0 a1')
})

it('gives out what has waited for too long', () => {
  const queue = createFairQueue<string>()
  for (const item of ['a1', 'a9', 'b2', 'c9']) queue.add(item[0]!, item)
  expect(queue.takeLate((item) => !item.endsWith('9'))).toEqual(['a1', 'b2'])
  expect(queue.size).toBe(2)
  expect(takeAll(queue)).toBe('a9 c9')
})
