#!lua flags=allow-oom
-- Items of a subscribed node that are never to be taken: what is published there is among them, and makes room by its end. ARGV[3]: the source; ARGV[4]: how many items are remembered of it;
-- then each item and what is remembered of it.
for at = 5, #ARGV, 2 do remember(ARGV[3], ARGV[at], ARGV[at + 1], tonumber(ARGV[4])) end
