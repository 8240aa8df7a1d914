-- Writes fields of a hash, if one of them is what the writer took it for: what was read of the lines goes into an index
-- only while the index is what it was.
--
-- KEYS: the hash. ARGV: the field, what it must be ("" for not there), then fields and values. Returns 1, or 0 if nothing was written.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
