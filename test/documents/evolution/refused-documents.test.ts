import { expect, it } from 'vitest'
import { findRefused } from '../../../src/documents/evolution/refused-documents.ts'
import { sourceOf, xsdSource } from './given.ts'

const kept = (name: string, from: string, text: string) => ({ name, from, bytes: Buffer.from(text) })

it('names the documents that an XML Schema refuses, and whose they are', async () => {
  const schema = xsdSource('<xs:element name="r" type="xs:int"/>')
  const documents = [kept('1', 'a@x.test', '<r>1</r>'), kept('2', 'b@x.test', '<r>x</r>'), kept('3', 'c@x.test', '<r')]
  const { asked, refused } = await findRefused(schema, documents)
  expect(asked).toBe(3)
  expect(refused.map(({ name, from }) => [name, from])).toEqual([
    ['2', 'b@x.test'],
    ['3', 'c@x.test'],
  ])
  expect(refused[0]!.refusal).toContain("'x' is not a valid value of the atomic type 'xs:int'")
})

it('and those that a JSON Schema refuses', async () => {
  const schema = sourceOf('json', { 'a.json': '{ "type": "object", "required": ["k"] }' })
  const { refused } = await findRefused(schema, [kept('1', 'a@x.test', '{"k":1}'), kept('2', 'b@x.test', '{}')])
  expect(refused).toEqual([{ name: '2', from: 'b@x.test', refusal: "/: must have required property 'k'" }])
})
