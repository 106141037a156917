#!lua flags=no-writes
-- What is known of open destinations. Gives of each: destination, JSON or "closing", how many deliveries wait for it, those behind
-- the first of their lane included; of more than 1,000 lanes, only the firsts of the others are counted. ARGV[3]: 'uncounted' where
-- nobody asks how many; ''.
local LANES_MOST = 1000

local function waitingFor(destination)
  local name = barredAt(destination)
  local count = redis.call('ZCARD', key(name))
  for _, id in ipairs(redis.call('ZRANGE', key(name), 0, LANES_MOST - 1)) do
    local delivery = read(id)
    local lane = delivery and laneOf(delivery)
    if lane then count = count + redis.call('ZCARD', lane) - 1 end
  end
  return count
end

local answer = {}
local known = redis.call('HGETALL', key('breakers'))
for at = 1, #known, 2 do
  answer[#answer + 1] = { known[at], known[at + 1], ARGV[3] == 'uncounted' and 0 or waitingFor(known[at]) }
end
return answer
