#!lua
-- Gives deliveries to a document that died for want of a route. ARGV[3]: envelope id; then of each delivery: facts, options, and its first
-- record where it is dead from the beginning, or ''.
-- Gives 1, or 0 where it is not such a dead letter.
local envelope = envelopeOf(ARGV[3])
local sum = summary(envelope)
if not sum or sum.reason ~= 'no-route' or sum.state ~= 'dead' then return 0 end
-- Deliveries that are ordered take the place that the document would have had now: what was accepted meanwhile has its own.
if sum.sequence == 0 then sum.sequence = redis.call('INCR', key('sequence')) end
sum.reason, sum.ended, sum.dead = nil, nil, 0
take('dead', envelope.id)
local index = 0
for at = 4, #ARGV, 3 do
  local delivery = {
    id = envelope.id .. '.' .. index, index = tostring(index), envelope = envelope,
    facts = cjson.decode(ARGV[at]), attempts = ARGV[at + 2], touched = true,
  }
  envelope.deliveries[delivery.index] = delivery
  envelope.writes[#envelope.writes + 1] = 'o' .. index
  envelope.writes[#envelope.writes + 1] = ARGV[at + 1]
  local state = delivery.facts.state
  sum[state] = sum[state] + 1
  countDelivery(delivery.facts.route, 'planned', 1)
  countDelivery(delivery.facts.route, state, 1)
  if state == 'dead' then put('dead', delivery.id, NOW) else join(delivery) end
  index = index + 1
end
envelope.ended = true
refreshDocument(envelope)
settle()
return 1
