-- A run takes an account, has its lease live on, or gives it back.
--
-- KEYS: the order ids of the account, and the key that lives as long as the lease.
-- ARGV: "take", "renew" or "release"; the nonce of the run; the life in milliseconds; to take it also the lowest number, and
--       what follows the number in the field: " nonce since name".
-- Returns {"ok", number}, {"leased", field} or {"lost"}.
--
-- The number and the owner stand in the field "\xfflease" of the order ids for ever, so that a commit looks at one more key only
-- where a run has the account. Taking is idempotent by the nonce: an answer that was lost is given again.
local orders, life = KEYS[1], KEYS[2]
local what, nonce, milliseconds = ARGV[1], ARGV[2], ARGV[3]
local held = redis.call('HGET', orders, '\255lease') or ''
local number, by = string.match(held, '^%d+'), string.match(held, '^%d+ (%S+)')

if what == 'take' and by ~= nonce then
  if by and redis.call('GET', life) then return { 'leased', held } end
  number = string.format('%.0f', math.max(tonumber(number or '0') + 1, tonumber(ARGV[4])))
  redis.call('HSET', orders, '\255lease', number .. ARGV[5])
elseif by ~= nonce then
  return { 'lost' }
elseif what == 'release' then
  redis.call('HSET', orders, '\255lease', number)
  redis.call('DEL', life)
  return { 'ok', number }
end
redis.call('SET', life, number, 'PX', milliseconds)
return { 'ok', number }
