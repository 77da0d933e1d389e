#!lua name=techpotli_written

-- Whether a number is greater, by its digits: sequence numbers may be more than Lua's numbers hold.
local function is_later(one, other)
  return #one > #other or (#one == #other and one > other)
end

-- Adds marks, such as cart:0-17+1-3.orders:x, to those that are known: the later of two counts, and what is not known (x)
-- stays unknown. The text is that of `shared/common/src/mark.rs`.
local function join(known, text)
  for database, mark in string.gmatch(text, '([^.:]+):([^.]*)') do
    local reached = known[database] or {}
    known[database] = reached
    reached.unknown = reached.unknown or mark == 'x'
    for domain, sequence in string.gmatch(mark, '(%d+)-(%d+)') do
      if not reached[domain] or is_later(sequence, reached[domain]) then
        reached[domain] = sequence
      end
    end
  end
end

local function text_of(known)
  local marks = {}
  for database, reached in pairs(known) do
    local positions = {}
    for domain, sequence in pairs(reached) do
      if domain ~= 'unknown' then
        positions[#positions + 1] = domain .. '-' .. sequence
      end
    end
    marks[#marks + 1] = database .. ':' .. (reached.unknown and 'x' or table.concat(positions, '+'))
  end
  return table.concat(marks, '.')
end

-- A viewer; what they have written, and for how many milliseconds that matters.
local function tell(keys, arguments)
  local known = {}
  join(known, redis.call('GET', keys[1]) or '')
  join(known, arguments[1])
  redis.call('SET', keys[1], text_of(known), 'PX', arguments[2])
  return 1
end

-- Says that there are marks at all, for so many milliseconds. For how many it has been said by now.
local function begin(keys, arguments)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local since = tonumber(redis.call('GET', keys[1]) or now)
  redis.call('SET', keys[1], string.format('%.0f', since), 'PX', arguments[1])
  return math.max(0, now - since)
end

redis.register_function('techpotli_tell_written', tell)
redis.register_function('techpotli_begin_written', begin)
