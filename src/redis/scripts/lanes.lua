#!lua flags=no-writes
-- Lanes in which something waits behind the first, found by their own keys: the first goes from set to set while we look, a lane stays
-- where it is, and SCAN gives whatever was there all the time. ARGV[3]: where SCAN goes on. ARGV[4]: about how many keys to look at.
-- Gives where to go on next, '0' at the end; and of each lane: its key, the first's id, meta, facts, last attempt or '', and how many
-- wait behind it.
local next, lanes = unpack(redis.call('SCAN', ARGV[3], 'MATCH', key('lane:*'), 'COUNT', ARGV[4]))
local answer = { next }

for _, lane in ipairs(lanes) do
  local behind = redis.call('ZCARD', lane) - 1
  local delivery = behind > 0 and read(redis.call('ZRANGE', lane, 0, 0)[1])
  if delivery then
    local found = redis.call('HMGET', delivery.envelope.key, 'meta', 'd' .. delivery.index)
    local facts, last = found[2] or cjson.encode(delivery.facts), string.match(delivery.attempts, '[^\n]*$')
    answer[#answer + 1] = { lane, delivery.id, found[1], facts, last, behind }
  end
end
return answer
