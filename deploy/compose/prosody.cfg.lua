-- Prosody for compose.yaml. Clients are served without TLS, on this machine only (see `ports` there): put certificates in,
-- load "tls" and require encryption before anybody else may reach the port.
daemonize = false
pidfile = "/var/run/prosody/prosody.pid"
data_path = "/var/lib/prosody"
log = { { levels = { min = "info" }, to = "console" } }

modules_enabled = { "saslauth", "roster", "disco", "ping", "version", "carbons" }
modules_disabled = { "s2s", "s2s_auth_certs" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = false
authentication = "internal_hashed"
storage = "internal"
-- It serves Waybill before all: see waybill.cfg.lua.
gc = { threshold = 150 }

-- Waybill shares the network of this container.
component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }

VirtualHost(ENV_WAYBILL_XMPP_HOST or "demo.localhost")

Include "/etc/prosody/conf.d/waybill.cfg.lua"
