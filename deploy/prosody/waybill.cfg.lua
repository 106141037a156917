-- Waybill's entry for Prosody 0.12 and newer.
--
-- Copy this file to /etc/prosody/conf.d/waybill.cfg.lua and replace the four placeholders below (or set the environment
-- variables of the same meaning for the Prosody process: Prosody reads ENV_NAME from the variable NAME).
-- Then `prosodyctl check config` and restart Prosody. Waybill itself needs in its waybill.yaml:
--   xmpp: { service: xmpp://127.0.0.1:5347, domain: waybill.example.org, host: example.org, secret: "${WAYBILL_XMPP_SECRET}" }

-- 1. The name of Waybill in XMPP. It needs a DNS record only if other servers send documents to it.
local waybill_domain = ENV_WAYBILL_XMPP_DOMAIN or "waybill.example.org";

-- 2. The secret that Waybill proves itself with, the same as xmpp.secret in waybill.yaml: `openssl rand -hex 24`.
local waybill_secret = ENV_WAYBILL_XMPP_SECRET; -- or "your secret"

-- 3. The PubSub service that Waybill publishes to.
local pubsub_domain = ENV_WAYBILL_PUBSUB_DOMAIN or "pubsub.example.org";

-- 4. How many items a node may be asked to keep (`create: { max_items: ... }` in a route). Prosody's own ceiling is 256, and
-- every publish to a full node rewrites the node's file: keep it small where much is published.
local pubsub_most_items = 256;

-- The component port stands in the global section of prosody.cfg.lua and is on loopback by default:
--   component_ports = { 5347 }
--   component_interfaces = { "127.0.0.1", "::1" }
-- Prosody has no TLS on it. Let Waybill run on the same machine, or put a tunnel (stunnel, WireGuard) between.

-- Each stanza goes out at once: else it may wait for a delayed TCP acknowledgement, 20 ms for each document at low load. Prosody
-- writes more and smaller packets so, which can cost it a tenth of its throughput at full load. One table for all of Prosody: where
-- prosody.cfg.lua has `network_settings` of its own, put `nagle = false` into those and remove this line.
network_settings = { nagle = false }

-- Prosody looks through all of its memory whenever that has grown by a twentieth. Where documents are most of what it carries, this
-- takes about as much time as all the rest. At half as much again it carries a quarter to a third more (docs/scaling.md), for up to
-- half as much again of memory. It is a setting of all of Prosody: uncomment it where that is yours to decide.
-- gc = { threshold = 150 }

-- The largest stanza that a component may send; a larger one makes Prosody close the whole stream. Keep xmpp.maxStanzaBytes in
-- waybill.yaml at this or below. Prosody reads it for all components together: it has no effect inside a Component section.
component_stanza_size_limit = 512 * 1024

Component(waybill_domain)
	component_secret = waybill_secret
	-- One process holds the domain, by a lease in Redis; a second one may stand by. When the first is frozen or its connection
	-- is half-open, the second must get in. Without this line Prosody refuses it (conflict) as long as the old one is open.
	component_conflict_resolve = "kick_old"
	-- Told to clients by Prosody while Waybill is not connected.
	name = "Waybill document router"

-- Further domains of Waybill (xmpp.domains) are entries like the one above, with the same secret:
--   Component "w2.example.org"
--     component_secret = waybill_secret
--     component_conflict_resolve = "kick_old"
-- and belong to the admins below.

Component(pubsub_domain) "pubsub"
	-- Waybill creates, configures and publishes to nodes. Only admins of the service may create nodes.
	admins = { waybill_domain }
	pubsub_max_items = pubsub_most_items
	-- Waybill creates each node with an explicit configuration; a node must not come into being with defaults.
	autocreate_on_publish = false
	autocreate_on_subscribe = false
