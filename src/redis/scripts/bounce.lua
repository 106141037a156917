#!lua flags=allow-oom
-- Reopens a delivered delivery whose bounce came in, unless its receiver has answered. ARGV[3]: id. ARGV[4], ARGV[5]: the bouncing JID, full and bare.
-- ARGV[6]: window. ARGV[7]: due time, or '' for dead. ARGV[8]: reason. ARGV[9]: record. ARGV[10]: a token of this very bounce, so that
-- repeating it after a lost reply changes nothing. Gives 1 or 0.
local ID, FROM, FROM_BARE, WINDOW_MS, TOKEN = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[10]

-- Only the address it went to can send it back (docs/operations.md, guarantee 9).
local function isFrom(destination)
  local address = string.match(destination, '^xmpp:([^?]*)%?;node=') or destination
  local bare = string.match(address, '^[^/]+')
  return address == FROM or address == FROM_BARE or bare == FROM
end

local delivery = read(ID)
if not delivery then return 0 end
local facts = delivery.facts
-- By the time of the repetition it may have been delivered again: that one has not come back.
if facts.bounce == TOKEN then return 1 end
if facts.state ~= 'delivered' or facts.proven or NOW - facts.ended > WINDOW_MS or not isFrom(facts.to) then return 0 end
-- The window may have been shorter when it ended, and what it would send is gone.
if redis.call('HEXISTS', delivery.envelope.key, facts.document and 'p' .. facts.document or 'payload') == 0 then return 0 end
addRecord(delivery, ARGV[9])
if ARGV[7] == '' then finish(delivery, 'dead', ARGV[8]) else reopen(delivery, tonumber(ARGV[7])) end
facts.bounce = TOKEN
settle()
return 1
