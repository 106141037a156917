#!lua flags=allow-oom
-- A process says that it lives. ARGV[3]: instance. ARGV[4]: for how long that holds, in milliseconds by the clock of Redis; 0 where it
-- leaves. ARGV[5]: what it says of itself.
-- Gives what each process that lives has said, itself included: instance, text, one after the other.
local INSTANCE, LENGTH_MS, TEXT = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local processes = key('processes')

local function redisMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now = redisMs()
if LENGTH_MS == 0 then
  redis.call('HDEL', processes, INSTANCE)
else
  redis.call('HSET', processes, INSTANCE, string.format('%.0f', now + LENGTH_MS) .. ' ' .. TEXT)
end
local living = {}
local found = redis.call('HGETALL', processes)
for at = 1, #found, 2 do
  local untilMs, text = string.match(found[at + 1], '^(%d+) (.*)$')
  if tonumber(untilMs) > now then
    living[#living + 1] = found[at]
    living[#living + 1] = text
  else
    redis.call('HDEL', processes, found[at])
  end
end
return living
