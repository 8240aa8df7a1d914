-- One commit: append a record to a ledger if nothing stands against it, and announce it in the session.
--
-- KEYS: the ledger, its orders, then the session values wanted, then the session values to set.
-- ARGV: id, line, order id, mark, expiry in ms (0 = for ever), how many values are wanted, the line that is to be the newest
--       one before this ("" for none), then each value wanted ("=" and its text, or "-" for not set, which an empty one counts as), then the values to set.
-- Returns {"ok"}, {"used", line}, {"session"} or {"conflict"}.
--
-- The mark tells this commit from every other one. A commit whose answer was lost may be sent again: it finds its own
-- mark and is answered as it was the first time.
local ledger, orders = KEYS[1], KEYS[2]
local id, line, order, mark, expiry, wanted = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local after = ARGV[7]

local function entry(record)
  local found = redis.call('XRANGE', ledger, record .. '-1', record .. '-1')
  if #found == 0 then return nil end
  return { line = found[1][2][2], mark = found[1][2][4] }
end

if order ~= '' then
  local record = redis.call('HGET', orders, order)
  local e = record and entry(record)
  if e then
    if e.mark == mark then return { 'ok' } end
    return { 'used', e.line }
  end
end

-- A line follows the content of the newest one, not only its number: a ledger that was restored, lost its newest lines or
-- was opened anew may have come to the same number again.
local head, content = -1, ''
local newest = redis.call('XREVRANGE', ledger, '+', '-', 'COUNT', 1)
if #newest > 0 then
  head, content = tonumber(string.match(newest[1][1], '^%d+')), newest[1][2][2]
  if head >= id then
    local e = entry(ARGV[1])
    if e and e.mark == mark then return { 'ok' } end
  end
end

if wanted > 0 then
  local values = redis.call('MGET', unpack(KEYS, 3, 2 + wanted))
  for i = 1, wanted do
    local value = values[i]
    if value and value ~= '' then value = '=' .. value else value = '-' end
    if value ~= ARGV[7 + i] then return { 'session' } end
  end
end

if head ~= id - 1 or content ~= after then return { 'conflict' } end

local added = redis.pcall('XADD', ledger, ARGV[1] .. '-1', 'line', line, 'mark', mark)
if type(added) == 'table' and added.err then
  if string.find(added.err, 'equal or smaller', 1, true) then return { 'conflict' } end
  return added
end
if order ~= '' then redis.call('HSET', orders, order, ARGV[1]) end

for i = 1, wanted do
  if ARGV[7 + i] ~= '-' then
    if expiry > 0 then redis.call('PEXPIRE', KEYS[2 + i], ARGV[5]) else redis.call('PERSIST', KEYS[2 + i]) end
  end
end
for i = 1, #KEYS - 2 - wanted do
  local key, value = KEYS[2 + wanted + i], ARGV[7 + wanted + i]
  if expiry > 0 then redis.call('SET', key, value, 'PX', ARGV[5]) else redis.call('SET', key, value) end
end
return { 'ok' }
