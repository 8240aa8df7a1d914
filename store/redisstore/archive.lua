-- Removes an account that was copied to another name, ledger and all, but for its lease: the run that has it goes on.
--
-- KEYS: the order ids of the account, the ledger, and the keys of the state of its runs.
-- ARGV: the fence of the run, and the id of the newest entry that was copied, "" for none.
-- Returns {"ok"}, {"lost"} if another run has the account now, or {"changed"} if the ledger has grown since.
local orders, ledger = KEYS[1], KEYS[2]
local lease = redis.call('HGET', orders, '\255lease')
if ARGV[1] ~= '0' and string.match(lease or '', '^%d+') ~= ARGV[1] then return { 'lost' } end
local newest = redis.call('XREVRANGE', ledger, '+', '-', 'COUNT', '1')[1]
if newest and newest[1] ~= ARGV[2] then return { 'changed' } end
for _, key in ipairs(KEYS) do redis.call('DEL', key) end
if lease then redis.call('HSET', orders, '\255lease', lease) end
return { 'ok' }
