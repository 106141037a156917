import sys
from xml.etree import ElementTree
import slixmpp

jid, password, host, port, waybill, file = sys.argv[1:7]
client = slixmpp.ClientXMPP(jid, password)

async def send(_):
    iq = client.make_iq_set(ito=waybill)
    iq.append(ElementTree.parse(file).getroot())
    try:
        answer = await iq.send(timeout=20)
        print(answer.xml.find('{urn:waybill:0}accepted').get('id'))
    except slixmpp.exceptions.IqError as error:
        print(error.iq['error']['condition'], error.iq['error']['text'])
    client.disconnect()

client.add_event_handler('session_start', send)
# Without TLS, as on loopback; beyond that leave it to connect().
if slixmpp.__version_info__ < (1, 9):
    client.connect((host, int(port)), disable_starttls=True)
else:
    client.enable_direct_tls = client.enable_starttls = False
    client.enable_plaintext = True
    client['feature_mechanisms'].unencrypted_scram = client['feature_mechanisms'].unencrypted_plain = True
    client.connect(host, int(port))
client.loop.run_until_complete(client.disconnected)
