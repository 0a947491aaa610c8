"""A function for awslambdaric whose warm-up does not succeed, and which serves all the same."""
import http.client
import json
import os
import time

begin = time.monotonic_ns()
problem = "the cache cannot be reached"
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("PUT", "/kelvin/v1/warmup", json.dumps({"durationNanoseconds": time.monotonic_ns() - begin, "error": problem}))
assert connection.getresponse().status == 202
connection.close()


def handler(event, context):
    return {"did": "serve"}
