-- Writes a part of the state of a run, unless another run has the account now. Each is safe to send again.
--
-- KEYS: the order ids of the account, where its lease is noted; the key to write; for a line also the days that have a journal.
-- ARGV: the fence, "0" for none; then one of
--       "set", text
--       "line", its number from 0, the line, the day
-- Returns {"ok"}, {"lost"}, or {"changed"} if the journal has another line of that number, or not the one before it.
local lease, key = KEYS[1], KEYS[2]
local fence, what = ARGV[1], ARGV[2]
if fence ~= '0' and string.match(redis.call('HGET', lease, '\255lease') or '', '^%d+') ~= fence then return { 'lost' } end

if what == 'set' then
  redis.call('SET', key, ARGV[3])
else
  local id = ARGV[3] .. '-1'
  local there = redis.call('XRANGE', key, id, id)[1]
  if there then return { there[2][2] == ARGV[4] and 'ok' or 'changed' } end
  local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', '1')[1]
  local number = newest and tonumber(string.match(newest[1], '^%d+')) + 1 or 0
  if number ~= tonumber(ARGV[3]) then return { 'changed' } end
  if number == 0 then redis.call('XADD', KEYS[3], '*', 'line', ARGV[5]) end
  redis.call('XADD', key, id, 'line', ARGV[4])
end
return { 'ok' }
