#!lua flags=allow-oom
-- A destination answers again: what waits for it is due now, whatever its own pause, a part at a time. ARGV[3]: destination.
-- ARGV[4]: how many. Gives the ids that may start, and 1 where there are more.
local TO, COUNT = ARGV[3], tonumber(ARGV[4])
local ids = {}

if breakerOf(TO) == 'open' then redis.call('HSET', key('breakers'), TO, 'closing') end
breakers[TO] = 'closing'
local name = barredAt(TO)
local members = redis.call('ZRANGE', key(name), 0, COUNT - 1)
for _, id in ipairs(members) do
  local delivery = read(id)
  take(name, id)
  take('lapsing', id)
  if delivery and delivery.facts.state == 'waiting' and not delivery.facts.holder and isHead(delivery) then
    delivery.facts.due = math.min(delivery.facts.due, NOW)
    delivery.touched = true
    put('ready', id, rank(delivery.facts))
    take('later', id)
    ids[#ids + 1] = id
  end
end
settle()
if #members == COUNT then return { ids, 1 } end
redis.call('HDEL', key('breakers'), TO)
return { ids, 0 }
