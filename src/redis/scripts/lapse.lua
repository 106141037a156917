#!lua flags=allow-oom
-- Gives up what has waited for an open destination for longer than its policy allows. ARGV[3]: how many to look at.
-- ARGV[4]: what the default policy allows; then policy, what it allows, by turns. Gives of each: id, destination, route, condition of
-- the destination's last failure.
local LIMIT, DEFAULT_MS = tonumber(ARGV[3]), tonumber(ARGV[4])
local allowedMs, lapsed = {}, {}
for at = 5, #ARGV, 2 do allowedMs[ARGV[at]] = tonumber(ARGV[at + 1]) end

local function endOf(delivery)
  local found = redis.call('HMGET', delivery.envelope.key, 'o' .. delivery.index, 'meta')
  local since = delivery.facts.since or cjson.decode(found[2]).receivedAtMs
  return since + (allowedMs[cjson.decode(found[1]).retry] or DEFAULT_MS)
end

local function giveUp(delivery)
  local facts = delivery.facts
  local breaker = cjson.decode(redis.call('HGET', key('breakers'), facts.to))
  local text = 'No try was made in time: the destination was open. Its last error: ' .. breaker.text
  addRecord(delivery, cjson.encode({ atMs = NOW, result = breaker.condition, text = text }))
  finish(delivery, 'dead', 'too-late')
  lapsed[#lapsed + 1] = { delivery.id, facts.to, facts.route, breaker.condition }
end

local due = redis.call('ZRANGE', key('lapsing'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, LIMIT)
for _, id in ipairs(due) do
  local delivery = read(id)
  local waits = delivery and delivery.facts.state == 'waiting' and not delivery.facts.holder
  if not waits or breakerOf(delivery.facts.to) ~= 'open' then
    dismiss('lapsing', id)
  else
    local ends = endOf(delivery)
    if ends <= NOW then giveUp(delivery) else put('lapsing', id, ends) end
  end
end
settle()
return lapsed
