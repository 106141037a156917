/** The demo itself: four accounts sign in, documents go their way, each is compared with what was declared for it. */
import { watchArrivals } from './arrivals.mjs'
import { answerTo, signIn } from './clients.mjs'
import { demoDocuments } from './documents.mjs'
import { differences, expectedPlaces } from './outcome.mjs'

const ARRIVAL_MS = 30_000
/** What arrives although it wasn't declared is waited for this long, after the last document. */
const STRAY_MS = 500

export const ACCOUNTS = ['backend', 'erp', 'sensor', 'operator']

/**
 * @param {{ service: string, host: string, waybill: string, pubsub: string, passwords: Record<string, string> }} site
 * @param {ReturnType<typeof import('./view.mjs').createView>} view
 */
export async function openDemo(site, view) {
  const names = ACCOUNTS.map((name) => ({
    service: site.service,
    host: site.host,
    name,
    password: site.passwords[name],
  }))
  const [backend, erp, sensor, operator] = await Promise.all(names.map(signIn))
  const clients = { backend, erp, sensor, operator }
  const arrivals = watchArrivals({ erp, operator, pubsub: site.pubsub, waybill: site.waybill })
  return {
    /** Sends every document and gives those that ended otherwise than declared. */
    run: () => sendAll(clients, arrivals, site.waybill, view),
    /** From now on every arrival is shown by itself. */
    follow: () => arrivals.onArrival(view.arrival),
    async close() {
      arrivals.stop()
      await Promise.all(Object.values(clients).map((client) => client.signOut()))
    },
  }
}

async function sendAll(clients, arrivals, waybill, view) {
  const run = Date.now().toString(36)
  const sent = []
  for (const [index, document] of demoDocuments(run).entries()) {
    const { outcome, sentAt } = await sendOne(document, clients[document.from], arrivals, waybill)
    view.document(index + 1, document, outcome, differences(document, outcome))
    sent.push({ document, outcome, sentAt })
  }
  await new Promise((resolve) => setTimeout(resolve, STRAY_MS))
  return sent.flatMap(({ document, outcome, sentAt }) => {
    const differing = differences(document, { ...outcome, places: placesOf(outcome.answer, arrivals, sentAt) })
    return differing.length === 0 ? [] : [{ document, differing }]
  })
}

async function sendOne(document, sender, arrivals, waybill) {
  let answer
  const answered = sender.next((stanza) => {
    answer = stanza.attrs.from === waybill ? answerTo(document.id, stanza) : undefined
    return answer !== undefined
  })
  const sentAt = performance.now()
  await sender.write(document.stanza(document.id, waybill))
  await answered.catch(() => {})
  const answeredMs = Math.round(performance.now() - sentAt)
  if (answer?.kind === 'accepted' && !answer.duplicate) {
    const places = expectedPlaces(document)
    await arrivals.until(() => places.every((place) => arrivals.of(answer.id).has(place)), ARRIVAL_MS)
  }
  return { sentAt, outcome: { answer, answeredMs, places: placesOf(answer, arrivals, sentAt) } }
}

function placesOf(answer, arrivals, sentAt) {
  if (answer?.kind !== 'accepted') return new Map()
  return new Map([...arrivals.of(answer.id)].map(([place, at]) => [place, Math.round(at - sentAt)]))
}
