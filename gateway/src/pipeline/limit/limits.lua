#!lua name=techpotli_limits

local function microseconds()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- For each key three arguments: microseconds for one unit, the whole quota, what is charged.
local function account(arguments, place)
  return tonumber(arguments[3 * place - 2]), tonumber(arguments[3 * place - 1]), tonumber(arguments[3 * place])
end

local function even_at(known, now)
  return math.max(known and tonumber(known) or 0, now)
end

local function write(key, even, now)
  if even <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, string.format('%.0f', even), 'PX', math.ceil((even - now) / 1000))
  end
end

-- {0, 0, what remains of each ...}, or {the place of what refuses for the longest, microseconds to wait, ...}
local function admit(keys, arguments)
  local now = microseconds()
  local known = redis.call('MGET', unpack(keys))
  local answer, later = {0, 0}, {}
  for place = 1, #keys do
    local each, quota, amount = account(arguments, place)
    later[place] = even_at(known[place], now) + each * amount
    local wait = later[place] - each * quota - now
    if wait > answer[2] then
      answer[1], answer[2] = place, wait
    end
    answer[place + 2] = math.max(0, math.floor(-wait / each))
  end
  if answer[1] == 0 then
    for place = 1, #keys do
      write(keys[place], later[place], now)
    end
  end
  return answer
end

local function give_back(keys, arguments)
  local now = microseconds()
  local known = redis.call('MGET', unpack(keys))
  for place = 1, #keys do
    local each, _, amount = account(arguments, place)
    write(keys[place], even_at(known[place], now) - each * amount, now)
  end
  return #keys
end

redis.register_function('techpotli_admit', admit)
redis.register_function('techpotli_give_back', give_back)
