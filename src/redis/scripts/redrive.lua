#!lua flags=allow-oom
-- Dead -> waiting, with its tries and the time to give up counted anew. ARGV[3]: a delivery id, or an envelope id for all dead
-- deliveries of a document. ARGV[4]: the record of it. ARGV[5]: another destination, or ''. ARGV[6], ARGV[7]: meta and payload of another
-- document, or ''. ARGV[8]: 'keep' for its old place in the order, or '' for one behind all that was accepted by now. What has no
-- address that may be used stays dead, and so does what would be a second delivery to its destination, and what has expired, which
-- would end so at once. What has broken the stream, or
-- a process, is a suspect from the beginning.
-- Gives how many.
local ID, RECORD, TO, META, PAYLOAD, PLACE = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local count, number, place = 0, nil, nil

local function isExpired(facts)
  return facts.expires and facts.expires <= NOW
end

local function mayGo(delivery)
  if delivery.facts.state ~= 'dead' or isExpired(delivery.facts) then return false end
  if TO == '' then return delivery.facts.reason ~= 'address-refused' end
  for _, other in ipairs(readAll(delivery.envelope.id)) do
    if other.id ~= delivery.id and other.facts.to == TO and not isReplaced(other.facts) then return false end
  end
  return true
end

-- What was in one lane before stays in one lane: in order among itself, on its way to the new destination.
local function redirect(facts)
  if facts.to == TO then return end
  facts.to = TO
  if facts.lane then facts.lane = redis.sha1hex(facts.lane .. ' ' .. TO) end
end

for _, delivery in ipairs(named(ID)) do
  if mayGo(delivery) then
    local facts = delivery.facts
    if META ~= '' then
      number = number or addDocument(delivery.envelope, META, PAYLOAD)
      facts.document = number
    end
    if TO ~= '' then redirect(facts) end
    if facts.lane and PLACE ~= 'keep' then
      place = place or redis.call('INCR', key('sequence'))
      facts.place = place
    end
    facts.tries, facts.since = 0, NOW
    if not isSuspect(facts) then facts.closes, facts.crashes = nil, nil end
    addRecord(delivery, RECORD)
    reopen(delivery, NOW)
    count = count + 1
  end
end
settle()
return count
