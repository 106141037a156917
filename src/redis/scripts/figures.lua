#!lua flags=allow-oom
-- What processes tell of themselves: field, JSON, how many milliseconds each counts for. Without a field it only reads. Gives all
-- that count still, and forgets the others. The clock is that of Redis: those of the processes may differ.
local name, text, lasts = ARGV[3], ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HGETALL', key('figures'))
local answer, late = {}, {}
for at = 1, #known, 2 do
  local ends, told = string.match(known[at + 1], '^(%d+) (.*)$')
  if not ends or tonumber(ends) < now then
    late[#late + 1] = known[at]
  elseif known[at] ~= name then
    answer[#answer + 1] = told
  end
end
if name == '' then return answer end
if #late > 0 then redis.call('HDEL', key('figures'), unpack(late)) end
redis.call('HSET', key('figures'), name, string.format('%.0f', now + lasts) .. ' ' .. text)
redis.call('PEXPIRE', key('figures'), lasts)
return {}
