"""`python -m tests.load.peers.bare`: what the function costs in a plain loop, in a process that does nothing else."""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.load.messages import read, write
from tests.load.peers.function import RankFunction
from vitrine.api.ranking.v1 import ranking_pb2 as pb

# Requests: before the clock runs, and those whose answers servers are compared with.
WARM, EXPECTED = 100, 25
_MOST = 5_000


def main() -> None:
    """Calls it on the requests, one after the other, again and again; prints CPU milliseconds a call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True, help="of this process alone")
    parser.add_argument("--now", type=float, required=True, help="Unix seconds")
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="of CPU")
    parser.add_argument("--answers", type=Path, help=f"where the answers to the first {EXPECTED} go")
    options = parser.parse_args()
    function = RankFunction.open(options.bundle, options.store, options.now)
    messages = read(options.requests, pb.RankRequest, _MOST)
    requests = [message.SerializeToString() for message in messages]
    answers = [function.rank(message) for message in messages[:EXPECTED]]
    lacking = {f"{part.component}: {part.message}" for answer in answers for part in answer.degraded}
    if lacking:
        sys.exit(f"the bare function lacks {'; '.join(sorted(lacking))}")
    if options.answers:
        write(options.answers, answers)
    for request in requests[:WARM]:
        function(request)
    calls, began = 0, time.process_time()
    while (used := time.process_time() - began) < options.seconds:
        function(requests[calls % len(requests)])
        calls += 1
    function.close()
    print(json.dumps({"cpu_ms": used * 1e3 / calls, "calls": calls}))


if __name__ == "__main__":
    main()
