#!lua flags=allow-oom
-- Records the start of an attempt for those of the deliveries that may start, and gives what it takes to write them.
-- ARGV[3]: instance. ARGV[4]: a token of this very call, so that repeating it after a lost reply gives the same attempts.
-- ARGV[5]: lease. ARGV[6]: how much later a delivery to a full destination comes due. ARGV[7]: 'alone' for the first suspect that
-- may start, and no other; ''. ARGV[8]: the count of full destinations; then these; then ids.
-- Gives of each attempt: id, tries, destination, route, expiry or '', since when or '', options, meta, payload, the number of the
-- document that it was redriven with or '', that one's meta or '', how long it has to be alone: 1 until the server has had it, 2 until
-- it ends, or ''; and 1 where it probes its open destination, or ''. Metas and payload are '' where an earlier attempt of this
-- reply has given them for the same document. And id and version of each that a later version of Waybill has written.
local INSTANCE, TOKEN, LEASE_MS, POSTPONE_MS = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local ALONE, FULL = ARGV[7] == 'alone', tonumber(ARGV[8])
-- Redis and the worker wake up at slightly different times.
local EARLY_MS = 50
-- A receipt may take longer than a common lease; the lease outlasts it by this.
local GRACE_MS = 30000
-- What still was there at so many closes, though the server had had it each time, is alone until it ends.
local STUBBORN_AFTER = 2 * SUSPECT_AFTER
local SUSPECTS_LOOKED_AT = 16
-- Of documents, in one reply: while it is made Redis does nothing else. What is left stays due, for the next sweep.
local BYTES_MOST = 32 * 1024 * 1024
local full, started, told, bytes = {}, {}, {}, 0

for index = 1, FULL do full[ARGV[8 + index]] = true end

local function isExpired(delivery)
  return delivery.facts.expires and delivery.facts.expires <= NOW
end

local function tell(delivery)
  local facts, envelope = delivery.facts, delivery.envelope
  local number = facts.document or ''
  local known = told[envelope.id .. ' ' .. number]
  local found
  if known then
    found = { redis.call('HGET', envelope.key, 'o' .. delivery.index), '', '' }
  else
    found = redis.call('HMGET', envelope.key, 'o' .. delivery.index, 'meta', number == '' and 'payload' or 'p' .. number)
    bytes = bytes + #(found[3] or '')
  end
  told[envelope.id .. ' ' .. number] = true
  found[1] = found[1] or delivery.options
  started[#started + 1] = {
    delivery.id, facts.tries, facts.to, facts.route, facts.expires or '', facts.since or '', found[1], found[2], found[3],
    tostring(number), known and '' or documentMeta(delivery), tostring(facts.alone or ''),
    facts.probe and '1' or '',
  }
end

local function begin(delivery)
  local facts = delivery.facts
  unschedule(delivery.id)
  facts.holder, facts.token, facts.started = INSTANCE, TOKEN, NOW
  facts.tries = facts.tries + 1
  if ALONE then facts.alone = (facts.closes or 0) >= STUBBORN_AFTER and 2 or 1 end
  delivery.touched = true
  take('expiring', delivery.id)
  put('underway', delivery.id, NOW + math.max(LEASE_MS, (facts.patience or 0) + GRACE_MS))
  tell(delivery)
end

-- What is ready was due once: the clock has been set back since, or that of another process is ahead.
local function isDue(delivery)
  return delivery.facts.due <= NOW + EARLY_MS or redis.call('ZSCORE', key('ready'), delivery.id)
end

local function consider(id)
  local delivery = read(id)
  if not delivery or delivery.facts.state ~= 'waiting' then return unschedule(id) end
  local facts = delivery.facts
  if facts.holder then
    if facts.holder == INSTANCE and facts.token == TOKEN then tell(delivery) end
    return
  end
  if not isHead(delivery) then return unschedule(id) end
  if isSuspect(facts) ~= ALONE then return end
  -- The next sweep ends it.
  if isExpired(delivery) then return expectExpiry(delivery) end
  if not isDue(delivery) then return end
  if not ALONE and not facts.probe and breakerOf(facts.to) == 'open' then return bar(delivery) end
  if full[facts.to] and not ALONE then return postpone(delivery, NOW + POSTPONE_MS) end
  if bytes >= BYTES_MOST then return end
  begin(delivery)
end

local asked = {}
for index = 9 + FULL, #ARGV do
  if not asked[ARGV[index]] then
    asked[ARGV[index]] = true
    consider(ARGV[index])
  end
end
if ALONE then
  for _, id in ipairs(redis.call('ZRANGE', key('suspects'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, SUSPECTS_LOOKED_AT)) do
    if #started == 0 then consider(id) end
  end
end
settle()
local strangers = {}
for id, version in pairs(foreign) do strangers[#strangers + 1] = { id, version } end
return { started, strangers }
