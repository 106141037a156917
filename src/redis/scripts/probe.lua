#!lua flags=allow-oom
-- Chooses for each of the open destinations, which follow from ARGV[3] on, the delivery that probes it: the most urgent, of these
-- the one that is due first. Gives of each the id, which may start now, or '' where nothing waits.
local LOOKED_AT_MOST = 20

local function mayProbe(delivery)
  local facts = delivery.facts
  if facts.state ~= 'waiting' or facts.holder or not isHead(delivery) then return false end
  return not facts.expires or facts.expires > NOW
end

local function choose(destination)
  local name = barredAt(destination)
  for _, id in ipairs(redis.call('ZRANGE', key(name), 0, LOOKED_AT_MOST - 1)) do
    local delivery = read(id)
    if not delivery then
      take(name, id)
    elseif mayProbe(delivery) then
      local facts = delivery.facts
      facts.probe, facts.due = true, math.min(facts.due, NOW)
      delivery.touched = true
      take(name, id)
      take('lapsing', id)
      take('later', id)
      put('ready', id, rank(facts))
      return id
    end
  end
  return ''
end

local ids = {}
for at = 3, #ARGV do ids[#ids + 1] = breakerOf(ARGV[at]) == 'open' and choose(ARGV[at]) or '' end
settle()
return ids
