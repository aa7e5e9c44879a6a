-- Stores a link, replacing whatever lay under its key.
--
-- KEYS[1]  the link
-- ARGV[1]  identifier of the link
-- ARGV[2]  state: issued, claimed, closed or superseded
-- ARGV[3]  expiry while unclaimed, Unix milliseconds
-- ARGV[4]  when the entry is dropped, Unix milliseconds
-- ARGV[5]  hash of the browser that claimed, 32 bytes, or empty
--
-- Returns 1.
--
-- Fields: id, state, expires, known, and browser once it is claimed.

if not tonumber(ARGV[3]) or not tonumber(ARGV[4]) then
  return redis.error_reply('ERR times must be numbers')
end

redis.call('DEL', KEYS[1])
if ARGV[5] == '' then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'state', ARGV[2], 'expires', ARGV[3], 'known', ARGV[4])
else
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'state', ARGV[2], 'expires', ARGV[3], 'known', ARGV[4],
    'browser', ARGV[5])
end
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
return 1
