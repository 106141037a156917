/**
 * The naive peer: what a good engineer writes in an afternoon with the same packages. Orders come in as iq, are checked with ajv, queued
 * with BullMQ, acknowledged once they are in the queue, and sent on to the JIDs by a worker.
 *
 * Environment: XMPP_SERVICE, XMPP_DOMAIN, XMPP_SECRET, REDIS_URL, JIDS (with commas), SCHEMA (file of the JSON Schema).
 * Prints `ready` when it is up.
 */
import { readFileSync } from 'node:fs'
import xmppComponent from '@xmpp/component'
import parse from '@xmpp/xml/lib/parse.js'
import { Ajv } from 'ajv'
import { Queue, Worker } from 'bullmq'
import { XMLParser } from 'fast-xml-parser'

const { component, xml } = xmppComponent
const { XMPP_SERVICE, XMPP_DOMAIN, XMPP_SECRET, REDIS_URL, JIDS, SCHEMA } = process.env

const validate = new Ajv().compile(JSON.parse(readFileSync(SCHEMA, 'utf8')))
const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false, isArray: (name) => name === 'line' })

const { hostname, port } = new URL(REDIS_URL)
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null }
const queue = new Queue('orders', {
  connection,
  defaultJobOptions: {
    attempts: 5,
    backoff: { type: 'exponential', delay: 1000 },
    removeOnComplete: true,
    removeOnFail: 1000,
  },
})

const xmpp = component({ service: XMPP_SERVICE, domain: XMPP_DOMAIN, password: XMPP_SECRET })
xmpp.on('error', (error) => console.error(error))

xmpp.iqCallee.set('urn:example:order:1', 'order', async ({ element, from }) => {
  const document = element.toString()
  if (!validate(parser.parse(document))) {
    const text = (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`).join('; ')
    return xml(
      'error',
      { type: 'modify' },
      xml('not-acceptable', 'urn:ietf:params:xml:ns:xmpp-stanzas'),
      xml('text', 'urn:ietf:params:xml:ns:xmpp-stanzas', text),
    )
  }
  await queue.add('order', { document, from: from.toString() })
  return true
})

const worker = new Worker(
  'orders',
  async (job) => {
    for (const to of JIDS.split(','))
      await xmpp.send(xml('message', { to, from: XMPP_DOMAIN, id: job.id }, parse(job.data.document)))
  },
  { connection, concurrency: 50 },
)
worker.on('error', (error) => console.error(error))
worker.on('failed', (job, error) => console.error(job?.id, error))

process.on('SIGTERM', async () => {
  await worker.close()
  await queue.close()
  await xmpp.stop()
  process.exit(0)
})

await xmpp.start()
await worker.waitUntilReady()
console.log('ready')
