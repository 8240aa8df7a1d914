-- One commit: a line goes into a ledger if nothing stands against it, and is announced in the session.
--
-- KEYS: the ledger, its order ids, the session values to set, the session values wanted.
-- ARGV: the ten below; for each of those values what it is to be set to, or what it must be ("" for not set); the same
--       for values wanted that are read only, and at last their keys. A user who may read but not write a key that stands
--       under KEYS is refused.
-- Returns {"ok"}, {"used", line, record}, {"index"}, {"leased", lease}, {"session"}, {"moved"}, {"conflict"}, {"removed"}, or an error.
--
-- A script that fails in the middle keeps what it wrote. So XADD comes last, what was written before it is taken back or
-- says nothing by itself, and an error means that the line is not there.
--
-- The mark tells this commit from every other one. A commit whose answer was lost may be sent again: it finds its own mark
-- and is answered as it was the first time.
local ledger, orders = KEYS[1], KEYS[2]
local id, line, order, mark, after, expiry, sets, wrong, fence, move = unpack(ARGV, 1, 10)

local function entry(record)
  local found = redis.call('XRANGE', ledger, record .. '-1', record .. '-1')[1]
  if found then return found[2][2], found[2][4] end
end

-- An answer with a line that is there already writes something all the same: a WAIT behind it waits for all that was
-- written before.
local function there(answer)
  local state = redis.pcall('HGET', orders, '')
  redis.pcall('HSET', orders, '', type(state) == 'string' and state or '')
  return answer
end

if order ~= '' then
  local record = redis.call('HGET', orders, order)
  if record and record ~= wrong and string.match(record, '^%d+$') then
    local text, by = entry(record)
    if by == mark then return there({ 'ok' }) end
    if text then return there({ 'used', text, record }) end
  end
end

local head, content, state = -1, '', ''
local newest = redis.call('XREVRANGE', ledger, '+', '-', 'COUNT', '1')[1]
if newest then
  head, content, state = tonumber(string.match(newest[1], '^%d+')), newest[2][2], newest[1] .. ' ' .. (newest[2][4] or '')
  if head >= tonumber(id) then
    local _, by = entry(id)
    if by == mark then return there({ 'ok' }) end
  end
end

-- The index of order ids says up to which entry it is complete. If that is not the newest one, an order id that it lacks
-- may be in the ledger all the same.
if order ~= '' and (redis.call('HGET', orders, '') or '') ~= state then return { 'index' } end

-- A run that has the account is noted beside the order ids (lease.lua). Who carries the number of its lease must carry the
-- newest; whether the lease lives does not matter to them. Who carries none is refused while it lives, and where that is not
-- to be seen.
local lease = redis.call('HGET', orders, '\255lease') or ''
if fence ~= '0' then
  if string.match(lease, '^%d+') ~= fence then return { 'leased', lease } end
elseif string.find(lease, ' ', 1, true) and redis.pcall('GET', orders .. '{lease}') then
  return { 'leased', lease }
end

-- In a cluster the session of the account's own model lies elsewhere. The key beside the order ids has another text since each time that
-- it was set.
if move ~= '' and (redis.call('GET', orders .. '{session}') or 'none') ~= move then return { 'moved' } end

sets = tonumber(sets)
local own, keys, before = #KEYS - 2, { unpack(KEYS, 3) }, {}
local values = own + (#ARGV - 10 - own) / 2
for i = 11 + values, #ARGV do keys[#keys + 1] = ARGV[i] end
if values > 0 then
  before = redis.pcall('MGET', unpack(keys))
  if before.err then return { err = before.err .. ' (MGET)' } end
  for i = sets + 1, values do
    if (before[i] or '') ~= ARGV[10 + i] then return { 'session' } end
  end
end

-- A line follows the content of the newest one, not only its number: a ledger that was restored, lost its newest lines or
-- was opened anew may have come to the same number again.
if head ~= id - 1 or content ~= after then return { 'conflict' } end

local failed
local function write(command, ...)
  if failed then return end
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then failed = { err = reply.err .. ' (' .. command .. ')' } end
end
for i = 1, sets do
  if expiry == '0' then write('SET', keys[i], ARGV[10 + i]) else write('SET', keys[i], ARGV[10 + i], 'PX', expiry) end
end
for i = sets + 1, own do
  if ARGV[10 + i] ~= '' then
    if expiry == '0' then write('PERSIST', keys[i]) else write('PEXPIRE', keys[i], expiry) end
  end
end
if order ~= '' then write('HSET', orders, order, id, '', id .. '-1 ' .. mark) end
write('XADD', ledger, id .. '-1', 'line', line, 'mark', mark)
if not failed then return { 'ok' } end

for i = 1, sets do
  if not before[i] then
    redis.pcall('SET', keys[i], '', 'PX', '1') -- which removes it
  elseif expiry == '0' then
    redis.pcall('SET', keys[i], before[i])
  else
    redis.pcall('SET', keys[i], before[i], 'PX', expiry)
  end
end
if order ~= '' then redis.pcall('HSET', orders, '', state) end
if string.find(failed.err, 'equal or smaller', 1, true) then return { 'removed' } end
return failed
