#!lua flags=allow-oom
-- Ends deliveries that have expired and are not under way, those that expired first before others. ARGV[3]: how many at most.
-- Gives their ids.
local LIMIT = tonumber(ARGV[3])
local expired = {}

for _, id in ipairs(redis.call('ZRANGE', key('expiring'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, LIMIT)) do
  local delivery = read(id)
  if delivery and delivery.facts.state == 'waiting' and not delivery.facts.holder then
    finish(delivery, 'expired', 'expired')
    expired[#expired + 1] = id
  else
    dismiss('expiring', id)
  end
end
settle()
return expired
