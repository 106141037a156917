#!lua
-- One change of the registry, in the order of all. ARGV[3]: what it is: register, deprecate or remove. ARGV[4]: NAME@VERSION.
-- ARGV[5]: at which number of changes it was checked. ARGV[6]: by whom. ARGV[7]: the digest, or the text of the deprecation, '' for
-- none. ARGV[8], ARGV[9]: name and version. ARGV[10]: the bundle.
-- Gives what became of it, and the number of the change that made it so.
local KIND, VERSION, EXPECTED, BY, VALUE = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local registry, counter = key('registry'), key('registration')
local known = redis.call('HGET', registry, VERSION)
local record = known and cjson.decode(known)
local sequence = tonumber(redis.call('GET', counter) or '0')

if KIND == 'register' and record then
  if record.digest ~= VALUE then return { 'taken', 0 } end
  return { 'done', record.sequence }
end
if KIND ~= 'register' and not record then return { 'unknown', 0 } end
if sequence ~= EXPECTED then return { 'moved', sequence } end

sequence = redis.call('INCR', counter)
if KIND == 'register' then
  record = { name = ARGV[8], version = ARGV[9], digest = VALUE, sequence = sequence, atMs = NOW, by = BY }
  redis.call('SET', key('bundle:' .. VALUE), ARGV[10])
elseif KIND == 'deprecate' then
  record.deprecated = VALUE ~= '' and VALUE or nil
end
if KIND == 'remove' then
  redis.call('HDEL', registry, VERSION)
  local shared = false
  for _, other in ipairs(redis.call('HVALS', registry)) do
    if cjson.decode(other).digest == record.digest then shared = true end
  end
  if not shared then redis.call('DEL', key('bundle:' .. record.digest)) end
else
  redis.call('HSET', registry, VERSION, cjson.encode(record))
end
redis.call('XADD', key('registered'), sequence .. '-0', 'kind', KIND, 'version', VERSION, 'by', BY, 'at', ARGV[2], 'value', VALUE)
return { 'done', sequence }
