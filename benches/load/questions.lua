-- Questions: what became of a message, out of a file of stored sids, in the order of the file.
-- A script of wrk; behind `--` stands the file, which has the sids in random order.

local requests, count = {}, 0

function init(args)
  for sid in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/messages/" .. sid)
  end
end

function request()
  count = count + 1
  return requests[count % #requests + 1]
end

-- One line of JSON, times in microseconds.
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "duration": %d, "p50": %d, "p99": %d, "not_200": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
