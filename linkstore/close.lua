-- Marks a link closed and leaves its time to live as it is.
--
-- KEYS[1]  the link
--
-- Returns 1, or 0 if there is no link under the key; none is made then.

local state = redis.pcall('HGET', KEYS[1], 'state')
if not state or (type(state) == 'table' and state.err) then
  return 0
end

redis.call('HSET', KEYS[1], 'state', 'closed')
return 1
