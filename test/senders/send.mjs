import { readFileSync } from 'node:fs'
import { client, xml } from '@xmpp/client'
import { parse } from 'ltx'

const [jid, password, host, port, waybill, file] = process.argv.slice(2)
const [username, domain] = jid.split('@')
const xmpp = client({ service: `xmpp://${host}:${port}`, domain, username, password, timeout: 20_000 })
await xmpp.start()
await xmpp.iqCaller
  .request(xml('iq', { type: 'set', to: waybill }, parse(readFileSync(file, 'utf8'))), 20_000)
  .then((answer) => console.log(answer.getChild('accepted', 'urn:waybill:0').attrs.id))
  .catch((error) => console.log(error.condition, error.text))
await xmpp.stop()
