#!lua flags=allow-oom
-- What may start now, most urgent and oldest first, and how many attempts were taken back because their lease ran out.
-- ARGV[3]: how many at most.
local LIMIT = tonumber(ARGV[3])

local expired = redis.call('ZRANGE', key('underway'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 1000)
for _, id in ipairs(expired) do
  local delivery = read(id)
  if delivery and delivery.facts.holder then
    void(delivery, 'The lease of the attempt ran out')
  else
    dismiss('underway', id)
  end
end
for _, id in ipairs(redis.call('ZRANGE', key('later'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, LIMIT)) do
  local delivery = read(id)
  if delivery and delivery.facts.state == 'waiting' and not delivery.facts.holder then
    schedule(delivery)
  else
    dismiss('later', id)
  end
end
settle()
return { #expired, redis.call('ZRANGE', key('ready'), 0, LIMIT - 1) }
