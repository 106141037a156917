#!lua flags=allow-oom
-- Keeps what is known of open destinations. Of each: destination, JSON.
for at = 3, #ARGV, 2 do redis.call('HSET', key('breakers'), ARGV[at], ARGV[at + 1]) end
return 1
