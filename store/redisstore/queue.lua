-- The queue of runs: one call of a part of it, each in one atomic step.
--
-- KEYS: {queue}:runs, a sorted set of the ids of runs by the time at which they were created. Every other key begins as it does, and lies
--       in the same slot of a cluster:
--   {queue}:run:ID            hash: job, priority, lockstep, created, state, accounts, left
--   {queue}:run:ID:accounts   hash: account -> "state task done days group tries worker"
--   {queue}:run:ID:through    hash: "group day" -> how many accounts of the group are through with that many days
--   {queue}:run:ID:passed     hash: account -> how it stands
--   {queue}:run:ID:results    hash: account -> what became of it
--   {queue}:tasks:PRIORITY    stream with the consumer group "workers": run, account
--   {queue}:workers           sorted set: worker -> when it was heard of
--   {queue}:swept             lives for a moment after a sweep
--   {queue}:sweep             hash: the run, and the cursor in it, at which the next sweep goes on
-- ARGV: what to do, the time in milliseconds, and more, see below.
local runs = KEYS[1]
local base = string.sub(runs, 1, #runs - #'runs')
local what, now = ARGV[1], ARGV[2]
local priorities = { 'high', 'normal', 'low' }

local function run_key(id) return base .. 'run:' .. id end
local function stream(priority) return base .. 'tasks:' .. priority end

local function read(id, account)
  local text = redis.call('HGET', run_key(id) .. ':accounts', account)
  if not text then return nil end
  local state, task, done, days, group, tries, worker = string.match(text, '^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%S+)$')
  return { state = state, task = task, done = tonumber(done), days = tonumber(days), group = group, tries = tonumber(tries), worker = worker }
end

local function write(id, account, a)
  redis.call('HSET', run_key(id) .. ':accounts', account,
    string.format('%s %s %d %d %s %d %s', a.state, a.task, a.done, a.days, a.group, a.tries, a.worker))
end

local function enqueue(id, account, a)
  local priority = redis.call('HGET', run_key(id), 'priority')
  a.state, a.worker = 'waiting', '-'
  a.task = redis.call('XADD', stream(priority), '*', 'run', id, 'account', account)
  write(id, account, a)
end

local function open(a) return a.state == 'waiting' or a.state == 'trading' end

-- may_begin tells whether an account may begin its next day: in lockstep once all of its group are through with the days before.
local function may_begin(id, a)
  if redis.call('HGET', run_key(id), 'lockstep') ~= '1' or a.done == 0 then return true end
  local through = run_key(id) .. ':through'
  return tonumber(redis.call('HGET', through, a.group .. ' ' .. a.done) or '0') >= tonumber(redis.call('HGET', through, a.group .. ' 0'))
end

-- pass notes that an account is through with some days, and gives a task to those of its group that waited for it.
local function pass(id, account, a, done)
  if done <= a.done then return end
  local from = a.done
  a.done, a.tries = done, 0
  if redis.call('HGET', run_key(id), 'lockstep') ~= '1' then return end
  local through, last, complete = run_key(id) .. ':through', done, 0
  if not open(a) then last = a.days end
  for day = from + 1, last do
    local n = redis.call('HINCRBY', through, a.group .. ' ' .. day, 1)
    if n == tonumber(redis.call('HGET', through, a.group .. ' 0')) then complete = day end
  end
  if complete == 0 then return end
  local all = redis.call('HGETALL', run_key(id) .. ':accounts')
  for i = 1, #all, 2 do
    if all[i] ~= account then
      local other = read(id, all[i])
      if other.group == a.group and other.state == 'waiting' and other.task == '-' and other.done <= complete then enqueue(id, all[i], other) end
    end
  end
end

local function forget(priority, task)
  redis.call('XACK', stream(priority), 'workers', task)
  redis.call('XDEL', stream(priority), task)
end

-- over notes that an account has come to its end.
local function over(id)
  if redis.call('HINCRBY', run_key(id), 'left', -1) > 0 then return end
  redis.call('HSET', run_key(id), 'state', 'ended')
  for _, part in ipairs({ '', ':accounts', ':through', ':passed', ':results' }) do redis.call('PEXPIRE', run_key(id) .. part, ARGV[#ARGV]) end
end

local function again(id)
  local left, all = 0, redis.call('HGETALL', run_key(id) .. ':accounts')
  for i = 1, #all, 2 do
    local a = read(id, all[i])
    if a.state ~= 'ended' then
      left = left + 1
      if a.state ~= 'trading' then a.tries = 0; enqueue(id, all[i], a) end
    end
  end
  redis.call('HSET', run_key(id), 'state', left > 0 and 'running' or 'ended', 'left', left)
  if left > 0 then
    for _, part in ipairs({ '', ':accounts', ':through', ':passed', ':results' }) do redis.call('PERSIST', run_key(id) .. part) end
  end
end

local function groups()
  for _, priority in ipairs(priorities) do redis.pcall('XGROUP', 'CREATE', stream(priority), 'workers', '0', 'MKSTREAM') end
end

-- lacks_task tells whether an account that is not at its end has no task in the stream.
local function lacks_task(s, a) return open(a) and (a.task == '-' or #redis.call('XRANGE', s, a.task, a.task) == 0) end

-- sweep_all gives tasks to the accounts of a run that lack one. What it counts of the run is counted anew: a failover may lose counts.
local function sweep_all(id)
  local s, all = stream(redis.call('HGET', run_key(id), 'priority')), redis.call('HGETALL', run_key(id) .. ':accounts')
  local lockstep, through = redis.call('HGET', run_key(id), 'lockstep') == '1', run_key(id) .. ':through'
  local found, left, least = 0, 0, {} -- least: days that all of a group are through with
  for i = 1, #all, 2 do
    local a = read(id, all[i])
    if open(a) then
      left = left + 1
      least[a.group] = math.min(least[a.group] or a.done, a.done)
    end
  end
  for i = 1, #all, 2 do
    local a = read(id, all[i])
    if open(a) and (not lockstep or a.done <= least[a.group]) and lacks_task(s, a) then
      if lockstep and a.done > 0 then redis.call('HSET', through, a.group .. ' ' .. a.done, redis.call('HGET', through, a.group .. ' 0')) end
      enqueue(id, all[i], a)
      found = found + 1
    end
  end
  redis.call('HSET', run_key(id), 'left', left)
  if left == 0 then redis.call('HSET', run_key(id), 'state', 'ended') end
  return found
end

-- sweep_part is that for some accounts of a run that has many. It returns the cursor of the next ones, and counts nothing anew.
local function sweep_part(id, cursor, room)
  local s, found = stream(redis.call('HGET', run_key(id), 'priority')), 0
  local reply = redis.call('HSCAN', run_key(id) .. ':accounts', cursor, 'COUNT', room)
  for i = 1, #reply[2], 2 do
    local account = reply[2][i]
    local a = read(id, account)
    if lacks_task(s, a) and may_begin(id, a) then
      enqueue(id, account, a)
      found = found + 1
    end
  end
  return found, reply[1]
end

if what == 'submit' then -- id, job, priority, lockstep, then name, group and days of each account
  local id = ARGV[3]
  groups()
  if redis.call('EXISTS', run_key(id)) == 1 then
    local state = redis.call('HGET', run_key(id), 'state')
    if state == 'ended' or state == 'stopped' then again(id) end
    return { 'there' }
  end
  redis.call('ZADD', runs, now, id)
  local n = (#ARGV - 6) / 3
  redis.call('HSET', run_key(id), 'job', ARGV[4], 'priority', ARGV[5], 'lockstep', ARGV[6], 'created', now, 'state', 'running', 'accounts', n, 'left', n)
  for i = 7, #ARGV, 3 do
    redis.call('HINCRBY', run_key(id) .. ':through', ARGV[i + 1] .. ' 0', 1)
    enqueue(id, ARGV[i], { done = 0, days = tonumber(ARGV[i + 2]), group = ARGV[i + 1], tries = 0 })
  end
  return { 'created' }

elseif what == 'take' then -- worker, milliseconds after which a task is another's
  local worker = ARGV[3]
  for _, priority in ipairs(priorities) do
    local s = stream(priority)
    for _ = 1, 100 do
      local entry
      local claimed = redis.pcall('XAUTOCLAIM', s, 'workers', worker, ARGV[4], '0-0', 'COUNT', '1')
      if claimed.err then
        groups()
      elseif claimed[2][1] then
        entry = claimed[2][1]
      end
      if not entry then
        local fresh = redis.call('XREADGROUP', 'GROUP', 'workers', worker, 'COUNT', '1', 'STREAMS', s, '>')
        if not fresh then break end
        entry = fresh[1][2][1]
      end
      local task, id, account = entry[1], entry[2] and entry[2][2], entry[2] and entry[2][4]
      local a = id and redis.call('HGET', run_key(id), 'state') == 'running' and read(id, account)
      if a and a.task == task and open(a) and may_begin(id, a) then
        a.state, a.worker = 'trading', worker
        write(id, account, a)
        return { 'task', task, id, priority, account, tostring(a.done), tostring(a.tries), redis.call('HGET', run_key(id), 'lockstep') }
      end
      forget(priority, task)
      if a and a.task == task and open(a) then
        a.state, a.task, a.worker = 'waiting', '-', '-'
        write(id, account, a)
      end
    end
  end
  return { 'none' }

elseif what == 'beat' then -- worker, then run, account, priority and task of each
  local worker, lost = ARGV[3], { 'ok' }
  redis.call('ZADD', base .. 'workers', now, worker)
  for i = 4, #ARGV, 4 do
    local id, account, priority, task = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local a = read(id, account)
    if not a or a.task ~= task or a.worker ~= worker or redis.call('HGET', run_key(id), 'state') ~= 'running' then
      lost[#lost + 1] = task
    elseif #redis.call('XCLAIM', stream(priority), 'workers', worker, '0', task, 'JUSTID') == 0 then
      lost[#lost + 1] = task -- the stream has lost it
    end
  end
  return lost

elseif what == 'passed' then -- worker, run, account, task, done, how it stands
  local id, account = ARGV[4], ARGV[5]
  local a = read(id, account)
  if not a or a.task ~= ARGV[6] or a.worker ~= ARGV[3] then return { 'lost' } end
  pass(id, account, a, tonumber(ARGV[7]))
  write(id, account, a)
  if ARGV[8] ~= '' then redis.call('HSET', run_key(id) .. ':passed', account, ARGV[8]) end
  return { 'ok' }

elseif what == 'finish' then -- worker, run, account, priority, task, how, result, milliseconds for which a run is kept
  local id, account, how = ARGV[4], ARGV[5], ARGV[8]
  local a = read(id, account)
  if not a or a.task ~= ARGV[7] or a.worker ~= ARGV[3] then return { 'lost' } end
  forget(ARGV[6], ARGV[7])
  redis.call('HSET', run_key(id) .. ':results', account, ARGV[9])
  a.task, a.worker = '-', '-'
  if how == 'ended' or how == 'stopped' then
    local done = a.done
    a.state = how
    pass(id, account, a, a.days)
    a.done = how == 'ended' and a.days or done
    write(id, account, a)
    over(id)
    return { 'ok' }
  end
  a.state = 'waiting'
  if how == 'failed' then a.tries = a.tries + 1 end
  write(id, account, a)
  if redis.call('HGET', run_key(id), 'state') == 'running' and may_begin(id, a) then enqueue(id, account, a) end
  return { 'ok' }

elseif what == 'sweep' then -- milliseconds in which nobody else sweeps, accounts to look at
  if not redis.call('SET', base .. 'swept', now, 'NX', 'PX', ARGV[3]) then return { '0' } end
  groups()
  local found, room, place = 0, tonumber(ARGV[4]), base .. 'sweep'
  local first, cursor = redis.call('HGET', place, 'run') or '', redis.call('HGET', place, 'cursor') or '0'
  redis.call('DEL', place)
  local ids = redis.call('ZRANGE', runs, 0, -1)
  local at = 1
  for i, id in ipairs(ids) do
    if id == first then at = i end
  end
  for i = at, #ids do
    local id = ids[i]
    local state, n = redis.call('HGET', run_key(id), 'state'), redis.call('HLEN', run_key(id) .. ':accounts')
    if not state then
      redis.call('ZREM', runs, id)
    elseif state == 'running' and n <= tonumber(ARGV[4]) then
      found, room = found + sweep_all(id), room - n
    elseif state == 'running' then
      local part
      part, cursor = sweep_part(id, id == first and cursor or '0', ARGV[4])
      found, room = found + part, 0
      if cursor ~= '0' then
        redis.call('HSET', place, 'run', id, 'cursor', cursor)
        return { tostring(found) }
      end
    end
    if room <= 0 then
      if ids[i + 1] then redis.call('HSET', place, 'run', ids[i + 1]) end
      break
    end
  end
  return { tostring(found) }

elseif what == 'control' then -- run, state
  local state = redis.call('HGET', run_key(ARGV[3]), 'state')
  if not state or state == 'ended' then return { 'lost' } end
  if ARGV[4] == 'running' then
    if state ~= 'running' then again(ARGV[3]) end
  else
    redis.call('HSET', run_key(ARGV[3]), 'state', ARGV[4])
  end
  return { 'ok' }
end
