#!lua flags=allow-oom
-- One holder for a name at a time. ARGV[3]: name. ARGV[4]: instance. ARGV[5]: length in milliseconds, by the clock of Redis;
-- 0 gives it back, -1 only looks. Takes it where nobody holds it, and makes it last where the instance does; it is never taken from another.
-- Gives 1 where the instance holds it now; who holds it, or ''; and since when, in milliseconds.
local NAME, INSTANCE, LENGTH_MS = ARGV[3], ARGV[4], tonumber(ARGV[5])
local lease = key('lease:' .. NAME)

local function redisMs()
  local time = redis.call('TIME')
  return time[1] .. string.format('%03d', math.floor(time[2] / 1000))
end

local holder, since = unpack(redis.call('HMGET', lease, 'holder', 'since'))
if holder and holder ~= INSTANCE then return { 0, holder, since } end
if LENGTH_MS < 0 and not holder then return { 0, '', '' } end
if LENGTH_MS < 0 then return { 1, INSTANCE, since } end
if LENGTH_MS == 0 then
  redis.call('DEL', lease)
  return { 0, '', '' }
end
if not holder then
  since = redisMs()
  redis.call('HSET', lease, 'holder', INSTANCE, 'since', since)
end
redis.call('PEXPIRE', lease, LENGTH_MS)
return { 1, INSTANCE, since }
