-- Posts the lines of a file in turn, and prints what came of it as JSON in the last line.
--   wrk … --script wrk.lua URL -- FILE

local requests, turn = {}, 0
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer sk-none", ["Accept"] = "*/*" }

function init(arguments)
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format('{"answers": %d, "seconds": %f, "half": %d, "errors": %d}', summary.requests,
    summary.duration / 1e6, latency:percentile(50), e.connect + e.read + e.write + e.status + e.timeout))
end
