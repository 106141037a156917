import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { XMLParser } from 'fast-xml-parser'
import { makeOrders, orderId } from '../documents.mjs'

/**
 * What is measured: a document type with one layer, valid documents of it, and damaged copies that the layer must find invalid.
 *
 * @typedef {'xsd' | 'rng' | 'json' | 'schematron'} Language
 * @typedef {{ name: string, language: Language, carrier: 'xml' | 'json', type: any, texts: string[], damaged: string[], schemaFile: string }} Case
 * `schemaFile` is the layer's first file.
 */

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const OWN = fileURLToPath(new URL('schemas', import.meta.url))
const CONFIG = fileURLToPath(new URL('../config', import.meta.url))
const ORDER = 'urn:example:order:1'
/** Different documents of one case: as many as are there, so that no branch learns a single one by heart. */
const ORDERS = 16

/** Lines of an order of about so many bytes. */
const ORDER_LINES = { '1 KB': 5, '10 KB': 92, '100 KB': 950 }

/** The name of the case that the goal speaks of. */
export const INVOICE = 'UBL invoice, 19 KB, XSD'

/** Names in the order in which they are measured. */
export const CASES = Object.freeze({
  'order, 1 KB, XSD': (seed) => orderCase('1 KB', 'xsd', seed),
  'order, 10 KB, XSD': (seed) => orderCase('10 KB', 'xsd', seed),
  'order, 100 KB, XSD': (seed) => orderCase('100 KB', 'xsd', seed),
  'order, 10 KB, RELAX NG': (seed) => orderCase('10 KB', 'rng', seed),
  'order, 10 KB, JSON Schema': jsonCase,
  [INVOICE]: invoiceCase,
  'bank statement, 7 KB, XSD': statementCase,
  'e-invoice, 21 KB, Schematron': rulesCase,
})

/**
 * @param {string} name
 * @param {number} seed
 * @returns {Case | undefined} undefined where its documents are not here
 */
export function caseNamed(name, seed) {
  const made = CASES[name](seed)
  return made && { name, ...made }
}

/**
 * @param {keyof typeof ORDER_LINES} size
 * @param {'xsd' | 'rng'} language
 * @param {number} seed
 */
function orderCase(size, language, seed) {
  const texts = orders(ORDER_LINES[size], ORDERS, seed)
  const [folder, file] = language === 'xsd' ? [join(CONFIG, 'order'), 'order.xsd'] : [OWN, 'order.rng']
  const type = typeOf({ xml: { root: `{${ORDER}}order` } }, { language, folder, file })
  const damaged = damagedOrders(texts[0])
  return { language, carrier: 'xml', type, texts, damaged, schemaFile: join(folder, file) }
}

/**
 * @param {number} lines
 * @param {number} count
 * @param {number} seed
 */
export function orders(lines, count, seed) {
  const made = makeOrders({ lines }, count, seed)
  return made.map(({ before, after }, at) => before + orderId(at) + after)
}

/** @param {string} text */
export function damagedOrders(text) {
  return [
    text.replace(/<currency>...</, '<currency>XXX<'),
    text.replace(/<date>.*?<\/date>/, ''),
    text.replace('<qty>', '<qty>-'),
    text.replace('</order>', '<line/></order>'),
  ]
}

/** Orders as fast-xml-parser writes them in JSON. @param {number} seed */
function jsonCase(seed) {
  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false })
  const toJson = (/** @type {string} */ text) => JSON.stringify(parser.parse(text))
  const texts = orders(ORDER_LINES['10 KB'], ORDERS, seed)
  const identify = { json: { match: { '/order/@_xmlns': ORDER } } }
  const type = typeOf(identify, { language: 'json', folder: CONFIG, file: 'order.schema.json' })
  const damaged = damagedOrders(texts[0]).slice(0, 3).map(toJson)
  const schemaFile = join(CONFIG, 'order.schema.json')
  return { language: 'json', carrier: 'json', type, texts: texts.map(toJson), damaged, schemaFile }
}

function invoiceCase() {
  const root = '{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice'
  const schema = { folder: 'ubl-2.1', file: 'maindoc/UBL-Invoice-2.1.xsd' }
  return corpusCase(root, 'xsd', schema, 'ubl-2.1/samples/UBL-Invoice-2.1-Example.xml', (text) => [
    text.replace(/<cbc:IssueDate>[^<]*</, '<cbc:IssueDate>soon<'),
    text.replace(/<cbc:ID>[^<]*<\/cbc:ID>/, ''),
    text.replace(/currencyID="[^"]*"/, ''),
    text.replace('</Invoice>', '<cbc:ID>1</cbc:ID></Invoice>'),
  ])
}

function statementCase() {
  const root = '{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}Document'
  const schema = { folder: 'camt', file: 'camt.053.001.08.xsd' }
  return corpusCase(root, 'xsd', schema, 'camt/camt053.v8.xml', (text) => [
    text.replace(/<CreDtTm>[^<]*</, '<CreDtTm>soon<'),
    text.replace(/<MsgId>[^<]*<\/MsgId>/, ''),
    text.replace(/ Ccy="[^"]*"/, ''),
  ])
}

function rulesCase() {
  const root = '{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice'
  const schema = { folder: 'en16931', file: 'EN16931-UBL-validation-preprocessed.sch' }
  return corpusCase(root, 'schematron', schema, 'en16931/samples/ubl-tc434-example1.xml', (text) => [
    text.replace(/<cbc:IssueDate>[^<]*<\/cbc:IssueDate>/, ''),
    text.replace(/(<cbc:PayableAmount[^>]*>)[^<]*</, '$199999999.00<'),
  ])
}

/**
 * @param {string} root
 * @param {Language} language
 * @param {{ folder: string, file: string }} schema
 * @param {string} sample
 * @param {(text: string) => string[]} damage
 */
function corpusCase(root, language, { folder, file }, sample, damage) {
  if (!existsSync(join(CORPORA, sample))) return undefined
  const text = readFileSync(join(CORPORA, sample), 'utf8').replace(/^\uFEFF/, '')
  const type = typeOf({ xml: { root } }, { language, folder: join(CORPORA, folder), file })
  const schemaFile = join(CORPORA, folder, file)
  return { language, carrier: 'xml', type, texts: [text], damaged: damage(text), schemaFile }
}

/**
 * @param {any} identify
 * @param {{ language: Language, folder: string, file: string }} schema
 */
export function typeOf(identify, { language, folder, file }) {
  const place = ['schema', language]
  const phase = language === 'schematron' ? '#ALL' : ''
  const layer = { language, folder, file: join(folder, file), onInvalid: 'reject', phase, place }
  return {
    name: 'measured',
    version: '',
    families: [],
    deprecated: undefined,
    identify,
    namespaces: {},
    layers: [layer],
    senders: undefined,
    fields: {},
    key: undefined,
    onInvalid: 'reject',
  }
}
