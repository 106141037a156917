#!lua
-- Held -> on its way; or a dead letter, where no route matches. ARGV[3]: the document. ARGV[4]: the record of it. ARGV[5]: its meta
-- from now on. ARGV[6]: what is kept of its having been held. Then of each delivery: facts, options, and its first record where it is
-- dead from the beginning, or ''. Its place in the order is behind all that was accepted by now.
-- Gives 1, or 0 where it is not held.
local ID, RECORD, META, HELD = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local envelope = envelopeOf(ID)
local sum = summary(envelope)
if not sum or sum.state ~= 'held' then return 0 end

sum.held = 0
take('held', ID)
for _, value in ipairs({ 'meta', META, 'held', HELD }) do envelope.writes[#envelope.writes + 1] = value end
if #ARGV == 6 then
  sum.dead, sum.reason, sum.ended = 1, 'no-route', NOW
  put('dead', ID, NOW)
else
  sum.sequence = redis.call('INCR', key('sequence'))
end
for at = 7, #ARGV, 3 do
  addDelivery(envelope, (at - 7) / 3, { facts = cjson.decode(ARGV[at]), options = ARGV[at + 1], record = ARGV[at + 2] }, RECORD)
end
envelope.ended = true
refreshDocument(envelope)
settle()
return 1
