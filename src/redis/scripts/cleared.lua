#!lua flags=allow-oom
-- The server has had what this instance sent alone, and the stream lives: whatever comes now, it is alone no more. ARGV[3]: instance.
-- ARGV[4]: id.
local delivery = read(ARGV[4])
if not delivery or delivery.facts.holder ~= ARGV[3] then return 0 end
delivery.facts.alone = nil
delivery.touched = true
settle()
return 1
