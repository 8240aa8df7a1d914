-- Begins or ends a call that processes on all machines bound together.
--
-- KEYS: {queue}:pace:API, a hash: next, when the next call may begin, in microseconds; and a field for each call under way: "until worst".
--       {queue}:spent:RUN, a hash: spent, in billionths.
-- ARGV: "begin" or "end", the id of the call; to begin: microseconds between two calls or 0, calls at once or 0, budget or 0, spent before,
--       worst, microseconds of the call at most, "1" if the API is bounded, "1" if the run is, milliseconds for which both are kept; to end: cost.
-- Returns {"go", microseconds to wait before it, spent}, {"wait", microseconds, spent} or {"over", "0", spent}.
local api, run = KEYS[1], KEYS[2]
local what, id = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function whole(n) return string.format('%.0f', n) end

-- end_call ends a call with what it cost, or with what it may have cost at most.
local function end_call(field, cost)
  local of, held = redis.call('HGET', run, 'call ' .. field), redis.call('HGET', api, 'call ' .. field)
  if of then
    redis.call('HDEL', run, 'call ' .. field)
    redis.call('HSET', run, 'spent', whole(tonumber(redis.call('HGET', run, 'spent') or '0') + (cost or tonumber(string.match(of, '%d+$')))))
  end
  if held then redis.call('HDEL', api, 'call ' .. field) end
end

-- under_way ends the calls of a key that nobody ended, and returns how many there are, and what they may cost.
local function under_way(key)
  local count, worst, all = 0, 0, redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local field = string.match(all[i], '^call (.*)$')
    if field then
      local untils, most = string.match(all[i + 1], '^(%d+) (%d+)$')
      if tonumber(untils) < now then
        end_call(field)
      else
        count, worst = count + 1, worst + tonumber(most)
      end
    end
  end
  return count, worst
end

if what == 'end' then
  end_call(id, tonumber(ARGV[3]))
  return { 'ok', '0', '0' }
end

local every, at_once, budget, before, worst, life = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local spent = before
if ARGV[10] == '1' then
  redis.call('HSETNX', run, 'spent', whole(before))
  local _, open = under_way(run)
  local ended = tonumber(redis.call('HGET', run, 'spent'))
  spent = ended + open
  if budget > 0 and ended + worst > budget then return { 'over', '0', whole(ended) } end
  if budget > 0 and spent + worst > budget then return { 'wait', '50000', whole(spent) } end -- what is under way may cost less
end
local wait = 0
if ARGV[9] == '1' then
  local count = under_way(api)
  if at_once > 0 and count >= at_once then return { 'wait', '50000', whole(spent) } end
  if every > 0 then
    local next = math.max(now, tonumber(redis.call('HGET', api, 'next') or '0'))
    wait = next - now
    if wait > 1000000 then return { 'wait', whole(math.min(wait - 500000, 10000000)), whole(spent) } end -- it takes its turn when that is near
    redis.call('HSET', api, 'next', whole(next + every))
  end
  redis.call('HSET', api, 'call ' .. id, whole(now + wait + life) .. ' ' .. whole(worst))
  redis.call('PEXPIRE', api, ARGV[11])
end
if ARGV[10] == '1' then
  redis.call('HSET', run, 'call ' .. id, whole(now + wait + life) .. ' ' .. whole(worst))
  redis.call('PEXPIRE', run, ARGV[11])
end
return { 'go', whole(wait), whole(spent) }
