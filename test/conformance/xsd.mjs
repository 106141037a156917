// XSD: the verdicts of libxml2 in Waybill and of xmllint are the same; where Xerces says otherwise, it is told why.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { mutate, randomFrom } from './mutate.mjs'
import { askXerces, askXmllint } from './oracles.mjs'
import { compile, isValid, parse, serialise, write } from './waybill.mjs'
import { CASES } from './xsd-cases.mjs'

/** @typedef {{ name: string, schema: string, folder: string, uri: string, root: string, documents: string[] }} Group documents are texts */
/** @typedef {{ text: string, what: string }} Sample */
/** @typedef {{ what: string, ours: boolean, theirs: boolean, message: string, theirMessages: string[], text: string }} Difference `message` is ours */

const UBL = ['Invoice', 'CreditNote', 'Order', 'OrderResponse', 'DespatchAdvice']

const VALUE = /'([^']*)' is not a valid value of the atomic type '(?:xs:)?(?:\{[^}]*\})?(\w+)'/

/** @param {string} message @param {(value: string, type: string) => boolean} holds */
const isAbout = (message, holds) => {
  const [, value = '', type = ''] = VALUE.exec(message) ?? []
  return type !== '' && holds(value, type)
}

/** @param {string} value */
const hasSpaceAround = (value) => value.trim() !== value

/** Faults of the xmllint that is asked, which the newer libxml2 in Waybill doesn't have; all that it says must be one of them. */
const XMLLINT_FAULTS = [
  {
    why: 'libxml2 before 2.13 takes no integer of more than 24 digits, and no white space around some numbers',
    when: (/** @type {Difference} */ { ours, theirMessages }) =>
      ours &&
      theirMessages.length > 0 &&
      theirMessages.every((message) =>
        isAbout(message, (value, type) => NUMBERS.test(type) && (hasSpaceAround(value) || value.length > 24)),
      ),
  },
  {
    why: 'libxml2 before 2.14 has the names of XML 1.0 as its fourth edition had them, not the fifth',
    when: (/** @type {Difference} */ { ours, theirMessages }) =>
      ours &&
      theirMessages.length > 0 &&
      theirMessages.every((message) =>
        isAbout(message, (value, type) => isUncommonName(value, type) || (NUMBERS.test(type) && value.length > 24)),
      ),
  },
]
/** @param {string} value @param {string} type */
const isUncommonName = (value, type) => /^(NMTOKEN|NCName|Name|QName)$/.test(type) && /[^\x20-\x7f]/.test(value)
const NUMBERS = /^(integer|decimal|byte|short|int|long|unsigned\w+|\w+Integer)$/

/** Why Xerces says otherwise. */
const FROM_XERCES = [
  {
    why: 'libxml2 takes no white space around dates and times, where XML Schema has it collapsed',
    when: (/** @type {Difference} */ { theirs, message }) =>
      theirs &&
      isAbout(
        message,
        (value, type) =>
          hasSpaceAround(value) && (/^(date|time|g[A-Z]|duration)/.test(type) || /^\d{4}-\d\d/.test(value.trim())),
      ),
  },
  {
    why: 'Xerces lets a strict wildcard take an element that is declared within a type only; there must be a global declaration',
    when: (/** @type {Difference} */ { theirs, message }) =>
      theirs && message.includes('demanded by the strict wildcard'),
  },
  {
    why: 'libxml2 passes over characters in base64 that are none of it, as RFC 2045 has it; XML Schema allows no others',
    when: (/** @type {Difference} */ { ours, theirMessages: [said = ''] }) =>
      ours && said.includes('is invalid Base64-encoded binary'),
  },
  {
    why: 'Xerces has the names of XML 1.0 as its fourth edition had them, not the fifth',
    when: (/** @type {Difference} */ { ours, theirMessages: [said = ''], text }) =>
      ours && /NMTOKEN|NCName|QName|Name|\\c[+*]/.test(said) && /[^\x20-\x7f\s]/.test(text),
  },
  {
    why: 'Xerces judges xsi:nil of elements that have no declaration, and takes 1 for no boolean there',
    when: (/** @type {Difference} */ { ours, theirMessages: [said = ''], text }) =>
      ours &&
      (said.includes('invalid for attribute') || said.includes("'xsi:nil' specified for non-nillable element")) &&
      text.includes('xsi:nil='),
  },
]

/** @param {import('./run.mjs').Settings} settings */
export async function run({ seed, quick, corpora, folder, has }) {
  const groups = [...ownGroups(folder), ...(corpora ? corpusGroups(corpora) : [])]
  const wanted = quick ? 240 : 2_400
  const random = randomFrom(seed)
  const perGroup = Math.ceil(wanted / groups.length)
  /** @type {Difference[]} */
  const differences = []
  /** @type {Difference[]} */
  const fromXerces = []
  const counts = { samples: 0, mutants: 0, valid: 0, askedXerces: 0 }
  for (const group of groups) {
    const samples = samplesOf(group, perGroup, random)
    const asked = await askBoth(group, samples, join(folder, group.name))
    differences.push(...asked.differences)
    counts.samples += group.documents.length
    counts.mutants += samples.length - group.documents.length
    counts.valid += asked.verdicts.filter(Boolean).length
    if (!has('xerces')) continue
    const compared = compareWithXerces(group, samples, asked, join(folder, `${group.name}-xerces`), quick)
    counts.askedXerces += compared.count
    fromXerces.push(...compared.differences)
  }
  const fromXmllint = unexplainedBy(XMLLINT_FAULTS, differences)
  const unexplained = unexplainedBy(FROM_XERCES, fromXerces)
  return {
    counts,
    differences: [...fromXmllint, ...unexplained],
    explained: [...counted(XMLLINT_FAULTS, differences), ...counted(FROM_XERCES, fromXerces)],
    leftOut: [
      ...(corpora ? [] : ['the corpora: only schemas of our own were tried']),
      ...(has('xerces') ? [] : ['Xerces: SAXCount is not there']),
    ],
    goals: [
      {
        text: `XSD: ${quick ? 200 : 2_000} mutants at least: ${counts.mutants}`,
        met: counts.mutants >= (quick ? 200 : 2_000),
      },
      {
        text: `XSD: valid ones and others among them: ${counts.valid} of ${counts.samples + counts.mutants}`,
        met: counts.valid > 20 && counts.valid < counts.mutants,
      },
      {
        text: `XSD: verdicts equal xmllint's: ${fromXmllint.length} differ, ${differences.length - fromXmllint.length} by faults of xmllint`,
        met: fromXmllint.length === 0,
      },
      {
        text: `XSD: differences from Xerces explained: ${unexplained.length} of ${fromXerces.length} are not`,
        met: unexplained.length === 0,
      },
    ],
  }
}

/** @typedef {{ why: string, when: (difference: Difference) => boolean }} Explanation */

/** @param {readonly Explanation[]} explanations @param {readonly Difference[]} differences */
function unexplainedBy(explanations, differences) {
  return differences.filter((one) => !explanations.some(({ when }) => when(one)))
}

/** @param {readonly Explanation[]} explanations @param {readonly Difference[]} differences */
function counted(explanations, differences) {
  return explanations
    .map(({ why, when }) => ({ why, count: differences.filter(when).length }))
    .filter(({ count }) => count > 0)
}

/** @param {string} folder @returns {Group[]} */
function ownGroups(folder) {
  return CASES.map(({ name, schema, documents }, at) => {
    const place = join(folder, `own-${at}`)
    const [file = ''] = write(place, { 'schema.xsd': schema })
    return {
      name: `own-${at}-documents`,
      schema: file,
      folder: place,
      uri: 'urn:t',
      root: '{urn:t}a',
      documents: [...documents],
      what: name,
    }
  })
}

/** @param {string} corpora @returns {Group[]} */
function corpusGroups(corpora) {
  const samples = ['ubl-2.1/samples', 'en16931/samples', 'camt']
    .map((name) => join(corpora, name))
    .filter((name) => existsSync(name))
    .flatMap((name) => readdirSync(name).map((file) => join(name, file)))
    .filter((file) => file.endsWith('.xml'))
    .map((file) => ({ name: basename(file), text: readFileSync(file, 'utf8') }))
  const kinds = [
    ...UBL.map((name) => ({
      name,
      uri: `urn:oasis:names:specification:ubl:schema:xsd:${name}-2`,
      local: name,
      file: `ubl-2.1/maindoc/UBL-${name}-2.1.xsd`,
      folder: 'ubl-2.1',
    })),
    ...['02', '04', '08'].map((version) => ({
      name: `camt-${version}`,
      uri: `urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}`,
      local: 'Document',
      file: `camt/camt.053.001.${version}.xsd`,
      folder: 'camt',
    })),
  ]
  return kinds.flatMap(({ name, uri, local, file, folder }) => {
    const root = `{${uri}}${local}`
    const documents = samples.map(({ text }) => text).filter((text) => isRoot(text, uri, local))
    const schema = join(corpora, file)
    return documents.length > 0 && existsSync(schema)
      ? [{ name, schema, folder: join(corpora, folder), uri, root, documents }]
      : []
  })
}

/** @param {string} text @param {string} uri @param {string} local */
function isRoot(text, uri, local) {
  const root = parse(text)
  return root.uri === uri && root.name === local
}

/** @param {Group} group @param {number} count @param {() => number} random @returns {Sample[]} */
function samplesOf({ documents }, count, random) {
  const whole = documents.map((text) => ({ text, what: 'as it is' }))
  const roots = documents.map(parse)
  const mutants = Array.from({ length: count }, (_, at) => {
    const { root, how } = mutate(roots[at % roots.length], random)
    return { text: serialise(root), what: how }
  })
  return [...whole, ...mutants]
}

/** @param {Group} group @param {readonly Sample[]} samples @param {string} folder */
async function askBoth(group, samples, folder) {
  const validator = await compile({ language: 'xsd', file: group.schema, folder: group.folder, root: group.root })
  if (validator.problems.length > 0) throw new Error(`${group.schema}: ${validator.problems[0]?.message}`)
  const files = write(folder, Object.fromEntries(samples.map(({ text }, at) => [`${at}.xml`, text])))
  const theirs = askXmllint(group.schema, files)
  const found = samples.map(({ text }) => validator.findingsOf(text))
  validator.dispose()
  const verdicts = found.map(isValid)
  const differences = samples.flatMap(({ text, what }, at) => {
    const ours = verdicts[at] ?? false
    const { valid = false, messages = [] } = theirs[at] ?? {}
    if (ours === valid) return []
    return [
      {
        what: `${group.name}: ${what}`,
        ours,
        theirs: valid,
        message: messageOf(found[at]),
        theirMessages: messages,
        text,
      },
    ]
  })
  return { verdicts, messages: found.map(messageOf), differences }
}

/** @param {readonly { message: string }[] | undefined} findings */
const messageOf = (findings) => findings?.[0]?.message ?? ''

/** Xerces reads the schema for each document again, which takes time for the large ones: so it is asked about some only. */
const XERCES_EACH = { quick: 6, whole: 60 }

/**
 * @param {Group} group @param {readonly Sample[]} samples @param {{ verdicts: boolean[], messages: string[] }} found
 * @param {string} folder @param {boolean} quick
 */
function compareWithXerces(group, samples, { verdicts, messages }, folder, quick) {
  const asked = samples.slice(0, quick ? XERCES_EACH.quick : XERCES_EACH.whole)
  const files = write(folder, Object.fromEntries(asked.map(({ text }, at) => [`${at}.xml`, located(text, group)])))
  const answers = askXerces(files, folder)
  const differences = answers.flatMap(({ valid, message }, at) => {
    const { text, what } = /** @type {Sample} */ (asked[at])
    const ours = verdicts[at] ?? false
    if (valid === undefined || valid === ours) return []
    return [
      {
        what: `${group.name}, Xerces: ${what}`,
        ours,
        theirs: valid,
        message: messages[at] ?? '',
        theirMessages: [message],
        text,
      },
    ]
  })
  return { count: answers.filter(({ valid }) => valid !== undefined).length, differences }
}

/** @param {string} text @param {Group} group */
function located(text, { uri, schema }) {
  const root = parse(text)
  const attribute = {
    name: 'schemaLocation',
    uri: 'http://www.w3.org/2001/XMLSchema-instance',
    prefix: 'xsi',
    value: `${uri} file://${schema}`,
  }
  const others = root.attributes.filter((/** @type {{ name: string }} */ { name }) => name !== 'schemaLocation')
  return serialise({ ...root, attributes: [...others, attribute] })
}
