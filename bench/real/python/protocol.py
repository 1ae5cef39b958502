"""The protocol of bench/shared/serve.ts for peers in Python: a request is a JSON line, and so is its reply."""

import json
import os
import sys


def serve(create):
    """Answer requests by the methods of what `create(options)` gives; the options are the process's argument, JSON."""
    options = json.loads(sys.argv[1])
    # Libraries, and the processes that they start, print to standard output: replies get a copy of it to themselves.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    peer = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            peer = peer or create(options)
            reply = {"ok": getattr(peer, "do_" + request.pop("do"))(**request)}
        except Exception as error:  # every failure is an answer: the benchmark reports it and goes on
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
