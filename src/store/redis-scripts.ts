/**
 * The Redis adapter's Lua. All keys share one hash tag, so that one script sees all of them in a Cluster too:
 *
 * - `{prefix}:meta` hash: epoch, revision (of the last commit), head (of the feed), bytes (of the feed)
 * - `{prefix}:doc:KIND` hash: id → `revision:expiresAtMs:quiet:json`
 * - `{prefix}:ids:KIND` sorted set of ids, all with score 0, for listing in order
 * - `{prefix}:expiry` sorted set of `KIND/id` by expiresAtMs
 * - `{prefix}:feed` stream, entry `revision-0`: p = previous, c (one or more) = the commit's text (`encodeChange`)
 * - `{prefix}:once:KEY`, `{prefix}:rate:KEY` strings that Redis expires
 *
 * Time comes from the caller. Nothing but commands of Redis 6.2 is used.
 */
import { createHash } from "node:crypto";

export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

function script(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/** KEYS meta. ARGV epoch. Gives an empty store its identity; answers the one it has. */
export const INITIALISE = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'revision', '0', 'head', '0', 'bytes', '0')
end
return redis.call('HGET', KEYS[1], 'epoch')`);

/**
 * KEYS meta, expiry, feed, then doc and ids of each kind. ARGV epoch, now, revision floor, step, feed limits
 * (commits, bytes), channel, number of kinds, number of preconditions, the kinds, preconditions as (key,
 * revision), batches of writes as (mode, text); a key is `KIND/id`. A batch's text is lines in pairs, a key
 * and a record: `expiresAtMs:quiet:json`, `-0` or `-1` (deletes; 1 = quietly), or `~` (deletes if expired).
 * A batch of mode `+` holds puts that are not quiet and goes into the feed as it is: a commit of 100,000
 * writes then takes a third of the time.
 * Answers {"ok", revision, number of deletions} or, before anything is written, {"epoch"} or {"conflict", key}.
 */
export const COMMIT = script(`
local find, sub, match = string.find, string.sub, string.match
local meta, expiry, feed = KEYS[1], KEYS[2], KEYS[3]
local now = tonumber(ARGV[2])
local state = redis.call('HMGET', meta, 'epoch', 'revision', 'head', 'bytes')
if state[1] ~= ARGV[1] then return {'epoch'} end

local docs, ids, at = {}, {}, 10
for i = 1, tonumber(ARGV[8]) do
  docs[ARGV[at]], ids[ARGV[at]] = KEYS[2 + 2 * i], KEYS[3 + 2 * i]
  at = at + 1
end
local function expired(expires) return expires ~= '0' and tonumber(expires) <= now end

for _ = 1, tonumber(ARGV[9]) do
  local kind, id = match(ARGV[at], '^([^/]*)/(.*)$')
  local held, live = redis.call('HGET', docs[kind], id), '0'
  if held then
    local revision, expires = match(held, '^(%d+):(%d+)')
    if not expired(expires) then live = revision end
  end
  if live ~= ARGV[at + 1] then return {'conflict', ARGV[at]} end
  at = at + 2
end

local revision = string.format('%.0f', math.max(tonumber(state[2]), tonumber(ARGV[3])) + tonumber(ARGV[4]))
local prefix, deletions = revision .. ':', 0

-- Puts of one kind are gathered: a call for hundreds of them costs much less than a call for each.
local gathered, fields, members, lasting, due = '', {}, {}, {}, {}
local anyDue = redis.call('EXISTS', expiry) == 1
local function flush()
  if #fields > 0 then
    redis.call('HSET', docs[gathered], unpack(fields))
    redis.call('ZADD', ids[gathered], unpack(members))
    if #lasting > 0 then redis.call('ZREM', expiry, unpack(lasting)) end
    if #due > 0 then redis.call('ZADD', expiry, unpack(due)) end
    anyDue = anyDue or #due > 0
    fields, members, lasting, due = {}, {}, {}, {}
  end
end

local function put(kind, id, record)
  if kind ~= gathered then
    flush()
    gathered = kind
  end
  local n = #fields
  fields[n + 1], fields[n + 2] = id, prefix .. record
  members[n + 1], members[n + 2] = 0, id
  local expires, quiet = match(record, '^(%d+):(%d)')
  if expires ~= '0' then
    due[#due + 1] = expires
    due[#due + 1] = kind .. '/' .. id
  elseif anyDue then
    lasting[#lasting + 1] = kind .. '/' .. id
  end
  if quiet == '0' then return record end
end

local function remove(kind, id, record)
  flush()
  local held, quiet, was = redis.call('HGET', docs[kind], id), record == '-1', ''
  local conditional = record == '~'
  if held then
    local expires, flag, json = match(held, '^%d+:(%d+):(%d):(.*)$')
    if conditional and not expired(expires) then return end
    quiet, was = quiet or conditional and flag == '1', json
    redis.call('HDEL', docs[kind], id)
    redis.call('ZREM', ids[kind], id)
    deletions = deletions + 1
  end
  redis.call('ZREM', expiry, kind .. '/' .. id)
  if not quiet and (held or not conditional) then return '-' .. was end
end

-- Returns what the feed says of the batch.
local function write(mode, text)
  local from, lines = 1, {}
  while from < #text do
    local slash = find(text, '/', from, true)
    local stop = find(text, '\\n', slash, true)
    local next = find(text, '\\n', stop + 1, true)
    local kind, id, record = sub(text, from, slash - 1), sub(text, slash + 1, stop - 1), sub(text, stop + 1, next - 1)
    local apply = match(record, '^[-~]') and remove or put
    local told = apply(kind, id, record)
    if told and mode ~= '+' then lines[#lines + 1] = kind .. '/' .. id .. '\\n' .. told .. '\\n' end
    from = next + 1
  end
  flush()
  return mode == '+' and text or table.concat(lines)
end

local entry, bytes = {'p', state[3]}, tonumber(state[4])
for i = at, #ARGV, 2 do
  local text = write(ARGV[i], ARGV[i + 1])
  if text ~= '' then
    entry[#entry + 1], entry[#entry + 2] = 'c', text
    bytes = bytes + #text
  end
end

redis.call('HSET', meta, 'revision', revision)
if #entry > 2 then
  redis.call('XADD', feed, revision .. '-0', unpack(entry))
  local commits = redis.call('XLEN', feed)
  while commits > 1 and (commits > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6])) do
    local oldest = redis.call('XRANGE', feed, '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', feed, oldest[1])
    commits = commits - 1
    for i = 4, #oldest[2], 2 do bytes = bytes - #oldest[2][i] end
  end
  redis.call('HSET', meta, 'head', revision, 'bytes', string.format('%.0f', bytes))
  redis.call('PUBLISH', ARGV[7], revision)
end
return {'ok', revision, deletions}`);

/** KEYS doc, ids. ARGV first and last of the range of ids, now, limit. Answers id, record in turn. */
export const LIST = script(`
local from, now, limit, found = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), {}
while true do
  local ids = redis.call('ZRANGEBYLEX', KEYS[2], from, ARGV[2], 'LIMIT', 0, limit)
  if #ids == 0 then return found end
  local held = redis.call('HMGET', KEYS[1], unpack(ids))
  for i, id in ipairs(ids) do
    local expires = held[i] and string.match(held[i], '^%d+:(%d+)')
    if expires and (expires == '0' or tonumber(expires) > now) then
      found[#found + 1] = id
      found[#found + 1] = held[i]
      if #found == 2 * limit then return found end
    end
  end
  if #ids < limit then return found end
  from = '(' .. ids[#ids]
end`);

/** KEYS meta, feed. ARGV revision, limit, bytes. Answers epoch, head, then {entry id, previous, texts…} for each commit. */
export const CHANGES = script(`
local state = redis.call('HMGET', KEYS[1], 'epoch', 'head')
local answer = {state[1] or '', state[2] or '0'}
local from, left, bytes = '(' .. ARGV[1] .. '-0', tonumber(ARGV[2]), tonumber(ARGV[3])
while left > 0 do
  local entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', math.min(left, 16))
  if #entries == 0 then return answer end
  for _, entry in ipairs(entries) do
    local commit = {entry[1], entry[2][2]}
    for i = 4, #entry[2], 2 do
      commit[#commit + 1] = entry[2][i]
      bytes = bytes - #entry[2][i]
    end
    answer[#answer + 1] = commit
    if bytes <= 0 then return answer end
  end
  left, from = left - #entries, '(' .. entries[#entries][1]
end
return answer`);

/** KEYS bucket. ARGV now, burst, periodMs. Answers how many ms to wait; 0 takes one. The rule is `takeOne`'s. */
export const TAKE = script(`
local now, burst, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or '0')
local next = math.min(math.max(full, now), now + period) + period / burst
local wait = math.ceil(next - period - now)
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.3f', next), 'PX', math.ceil(next - now) + 1000)
return 0`);

/** KEYS bucket. ARGV now, burst, periodMs. Puts one back. The rule is `giveOneBack`'s. */
export const GIVE_BACK = script(`
local now, burst, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.min(tonumber(redis.call('GET', KEYS[1]) or '0'), now + period) - period / burst
if full <= now then return redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now) + 1000)`);
