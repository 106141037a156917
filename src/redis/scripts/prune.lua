#!lua flags=allow-oom
-- Removes what retention no longer keeps, a part at a time. ARGV[3], ARGV[4]: for how long and how many finished documents are
-- kept; ARGV[5], ARGV[6]: the same for dead letters. ARGV[7]: how many of each to look at.
-- A document of which a report is owed is kept until that is handed over.
-- Gives how many envelopes were removed, how many dead letters were dropped, and 1 where more is to be done.
local FINISHED_MS, FINISHED_COUNT, DEAD_MS, DEAD_COUNT = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local MOST = tonumber(ARGV[7])

-- Oldest first: those beyond the count, and those beyond the time.
local function outdated(name, keptMs, keptCount)
  local beyond = math.min(MOST, redis.call('ZCARD', key(name)) - keptCount)
  local members = beyond > 0 and redis.call('ZRANGE', key(name), 0, beyond - 1) or {}
  local byTime = redis.call('ZRANGE', key(name), '-inf', '(' .. string.format('%.0f', NOW - keptMs), 'BYSCORE', 'LIMIT', 0, MOST)
  return #byTime > #members and byTime or members
end

local function dropDead(id)
  local delivery = read(id)
  if delivery then
    delivery.facts.by = 'retention'
    finish(delivery, 'dropped', 'retention')
    return
  end
  local envelope = envelopeOf(id)
  local sum = summary(envelope)
  take('dead', id)
  if not sum then return end
  sum.reason, sum.by, sum.ended = 'retention', 'retention', NOW
  sum.dead, sum.dropped = 0, 1
  refreshDocument(envelope)
end

local finished = outdated('finished', FINISHED_MS, FINISHED_COUNT)
local owed = #finished > 0 and redis.call('ZMSCORE', key('reports'), unpack(finished)) or {}
local removed = 0
for index, id in ipairs(finished) do
  if owed[index] then
    put('finished', id, NOW)
  else
    removed = removed + 1
    redis.call('UNLINK', key('envelope:' .. id))
    take('finished', id)
  end
end
local dead = outdated('dead', DEAD_MS, DEAD_COUNT)
for _, id in ipairs(dead) do dropDead(id) end
settle()
return { removed, #dead, (removed >= MOST or #dead >= MOST) and 1 or 0 }
