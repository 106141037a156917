#!lua flags=allow-oom
-- Removes what retention no longer keeps, a part at a time. ARGV[3], ARGV[4], ARGV[5]: for how long, how many and how many bytes of
-- finished documents are kept; ARGV[6], ARGV[7], ARGV[8]: the same for dead letters. ARGV[9]: how many of each to look at. ARGV[10]: for how
-- long documents are held.
-- A document of which a report is owed is kept until that is handed over. And removes the payloads of finished documents that no
-- bounce can bring back any more.
-- Gives how many envelopes were removed, how many dead letters were dropped, 1 where more is to be done, and how many held
-- documents were dropped.
local FINISHED = { state = 'finished', ms = tonumber(ARGV[3]), count = tonumber(ARGV[4]), bytes = tonumber(ARGV[5]) }
local DEAD = { state = 'dead', ms = tonumber(ARGV[6]), count = tonumber(ARGV[7]), bytes = tonumber(ARGV[8]) }
local MOST, HELD_MS = tonumber(ARGV[9]), tonumber(ARGV[10])
-- Dead letters of documents that still wait hold bytes that a drop wouldn't free: they are passed over, but not without end.
local PASSED_MOST = 5000

-- Oldest first: those beyond the count, and those beyond the time.
local function outdated(name, kept)
  local beyond = math.min(MOST, redis.call('ZCARD', key(name)) - kept.count)
  local members = beyond > 0 and redis.call('ZRANGE', key(name), 0, beyond - 1) or {}
  local byTime = redis.call('ZRANGE', key(name), '-inf', '(' .. string.format('%.0f', NOW - kept.ms), 'BYSCORE', 'LIMIT', 0, MOST)
  return #byTime > #members and byTime or members
end

local gone = {}

local function remove(id)
  local sum = summary(envelopeOf(id))
  if sum then countBytes(sum, sum.state, -1) end
  redis.call('UNLINK', key('envelope:' .. id))
  gone[id] = true
  take('finished', id)
  take('reopenable', id)
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

-- How many bytes are beyond what is kept, with what this call has freed already.
local function excess(kept)
  local name = 'bytes ' .. kept.state
  return tonumber(redis.call('HGET', key('ledger'), name) or 0) + (ledger[name] or 0) - kept.bytes
end

-- Oldest first, until the bytes fit; `count` of the `passed` first have gone already. Gives how many have then.
local function fit(name, kept, passed, count, freesBytes, give)
  local at = passed
  local over = excess(kept)
  while over > 0 and count < MOST and at < passed + PASSED_MOST do
    local members = redis.call('ZRANGE', key(name), at, at + 99)
    if #members == 0 then break end
    for _, id in ipairs(members) do
      if over > 0 and count < MOST and freesBytes(id) then
        give(id)
        count = count + 1
        over = excess(kept)
      end
    end
    at = at + #members
  end
  return count
end

local function isOwed(id)
  return redis.call('ZSCORE', key('reports'), id) and true or false
end

local function isOfBytes(id)
  if gone[id] or isOwed(id) then return false end
  local sum = summary(envelopeOf(id))
  return not sum or (sum.bytes or 0) > 0
end

local function isOfDeadDocument(id)
  local sum = summary(envelopeOf(string.match(id, '^[^.]+')))
  return not sum or sum.state == 'dead'
end

-- What goes is still the first of its set until settle().
local finished = outdated('finished', FINISHED)
local removed = 0
for _, id in ipairs(finished) do
  if isOwed(id) then
    put('finished', id, NOW)
  else
    remove(id)
    removed = removed + 1
  end
end
removed = fit('reopenable', FINISHED, 0, removed, isOfBytes, remove)
-- What an earlier version has finished.
removed = fit('finished', FINISHED, #finished, removed, isOfBytes, remove)
local dead = outdated('dead', DEAD)
for _, id in ipairs(dead) do dropDead(id) end
local dropped = fit('dead', DEAD, #dead, #dead, isOfDeadDocument, dropDead)
local before = '(' .. string.format('%.0f', NOW - HELD_MS)
local held = redis.call('ZRANGE', key('held'), '-inf', before, 'BYSCORE', 'LIMIT', 0, MOST)
for _, id in ipairs(held) do endHeld(envelopeOf(id), 'retention', 'retention') end
local spent = redis.call('ZRANGE', key('reopenable'), '-inf', '(' .. string.format('%.0f', NOW), 'BYSCORE', 'LIMIT', 0, MOST)
for _, id in ipairs(spent) do
  local envelope = envelopeOf(id)
  if not gone[id] and summary(envelope) then removePayloads(envelope) end
  take('reopenable', id)
end
settle()
return { removed, dropped, (removed >= MOST or dropped >= MOST or #held >= MOST or #spent >= MOST) and 1 or 0, #held }
