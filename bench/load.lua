-- The load on a token endpoint: POSTs the bodies of the file named by BODIES, one per line, in turn,
-- and prints the result as one line of JSON.

local requests = {}
local turn = 0

function init()
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for body in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

-- `errors.status` counts answers of 400 and above; a redirect would be no token either, but no
-- token endpoint here knows one.
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"answers": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
