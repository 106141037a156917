#!lua flags=allow-oom
-- Held -> dropped. ARGV[3]: the document. ARGV[4]: reason. ARGV[5]: by whom. ARGV[6]: what is kept of its having been held.
-- Gives 1, or 0 where it is not held; done twice it gives the same.
local ID, REASON, BY, HELD = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local envelope = envelopeOf(ID)
local sum = summary(envelope)
if not sum then return 0 end
if sum.state == 'dropped' and sum.reason == REASON and sum.by == BY then return 1 end
if sum.state ~= 'held' then return 0 end
for _, value in ipairs({ 'held', HELD }) do envelope.writes[#envelope.writes + 1] = value end
endHeld(envelope, REASON, BY)
settle()
return 1
