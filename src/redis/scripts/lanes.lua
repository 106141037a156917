#!lua flags=no-writes
-- Lanes in which something waits behind the first. That one is in `ready`, `later`, `lapsing`, `suspects` or `underway`: ARGV[3]
-- names the set. ARGV[4]: how many of its members to pass over. ARGV[5]: how many to look at.
-- Gives how many were looked at; and of each lane: the first's id, meta, facts, last attempt or '', and how many wait behind it.
local SET, OFFSET, COUNT = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local ids = redis.call('ZRANGE', key(SET), OFFSET, OFFSET + COUNT - 1)
local answer = { #ids }

for _, id in ipairs(ids) do
  local delivery = read(id)
  local lane = delivery and laneOf(delivery)
  local behind = lane and isHead(delivery) and redis.call('ZCARD', lane) - 1 or 0
  if behind > 0 then
    local found = redis.call('HMGET', delivery.envelope.key, 'meta', 'd' .. delivery.index)
    answer[#answer + 1] = { id, found[1], found[2], string.match(delivery.attempts, '[^\n]*$'), behind }
  end
end
return answer
