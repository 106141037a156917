#!lua flags=allow-oom
-- The server has had what this instance sent alone, and the stream lives: whatever comes now, it is alone no more. ARGV[3]: instance.
-- ARGV[4]: id. ARGV[5]: the token of the attempt, or '' for whichever this instance has under way.
local delivery = read(ARGV[4])
if not delivery or not isAttemptOf(delivery.facts, ARGV[3], ARGV[5]) then return 0 end
delivery.facts.alone = nil
delivery.touched = true
settle()
return 1
