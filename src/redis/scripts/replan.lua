#!lua
-- Gives new deliveries to what was matched again. ARGV[3]: the id of a document that died for want of a route; or a dead
-- delivery, or a document for all its dead deliveries, which are dropped for the new ones. ARGV[4]: by whom. ARGV[5]: the record of it.
-- ARGV[6], ARGV[7]: meta and payload of another document, or ''. ARGV[8]: 'keep' for the document's old place in the order, or ''
-- for one behind all that was accepted by now. Then of each delivery: facts, options, and its first record
-- where it is dead from the beginning, or ''. A destination that another delivery of the document has is left out,
-- unless that one was dropped for others itself.
-- Gives 1, or 0 where it is no such dead letter, or nothing would be new.
local ID, BY, RECORD, META, PAYLOAD, PLACE = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local envelope = envelopeOf(string.match(ID, '^[^.]+'))
local sum = summary(envelope)
if not sum then return 0 end

local dead, taken, last = {}, {}, -1
for _, delivery in ipairs(readAll(envelope.id)) do
  last = math.max(last, tonumber(delivery.index))
  if delivery.facts.state == 'dead' and (ID == envelope.id or ID == delivery.id) then
    dead[#dead + 1] = delivery
  elseif not isReplaced(delivery.facts) then
    taken[delivery.facts.to] = true
  end
end
local unrouted = last < 0 and ID == envelope.id and sum.state == 'dead'
if not unrouted and #dead == 0 then return 0 end

local new = {}
for at = 9, #ARGV, 3 do
  local facts = cjson.decode(ARGV[at])
  if not taken[facts.to] then
    taken[facts.to] = true
    new[#new + 1] = { facts = facts, options = ARGV[at + 1], record = ARGV[at + 2] }
  end
end
if #new == 0 then return 0 end

local number = META ~= '' and addDocument(envelope, META, PAYLOAD) or nil
-- What never had an ordered delivery has no old place.
local place = (PLACE ~= 'keep' or sum.sequence == 0) and redis.call('INCR', key('sequence')) or nil
if sum.sequence == 0 then sum.sequence = place end
if unrouted then
  sum.reason, sum.ended, sum.dead = nil, nil, 0
  take('dead', envelope.id)
end
for _, delivery in ipairs(dead) do
  delivery.facts.by = BY
  finish(delivery, 'dropped', 'matched-again')
end
for offset, one in ipairs(new) do
  one.facts.document = number
  addDelivery(envelope, last + offset, one, RECORD, place)
end
envelope.ended = true
refreshDocument(envelope)
settle()
return 1
