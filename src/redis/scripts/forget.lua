#!lua flags=allow-oom
-- Removes what the archive no longer keeps, the oldest first. ARGV[3], ARGV[4], ARGV[5]: for how long, how many and how many bytes of
-- documents are kept. ARGV[6]: how many to look at.
-- Gives how many were removed; as many as were looked at: there may be more.
local KEPT_MS, KEPT, KEPT_BYTES, MOST = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local over = redis.call('ZCARD', key('archive')) - KEPT
local bytes = tonumber(redis.call('GET', key('archive:bytes')) or 0)
local oldest = redis.call('ZRANGE', key('archive'), 0, MOST - 1, 'WITHSCORES')
local removed = 0
for at = 1, #oldest, 2 do
  local id, since = oldest[at], tonumber(oldest[at + 1])
  if removed >= over and bytes <= KEPT_BYTES and since >= NOW - KEPT_MS then break end
  bytes = bytes - (redis.call('HSTRLEN', key('archive:' .. id), 'meta') + redis.call('HSTRLEN', key('archive:' .. id), 'payload'))
  redis.call('UNLINK', key('archive:' .. id))
  redis.call('ZREM', key('archive'), id)
  removed = removed + 1
end
if removed > 0 then redis.call('SET', key('archive:bytes'), string.format('%.0f', bytes)) end
return removed
