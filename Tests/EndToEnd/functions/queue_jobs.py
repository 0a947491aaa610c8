"""A function for awslambdaric that works on jobs of a queue. A body says what to do:
{"job": "a1", "ms": 20, "fail": 2} fails as long as it was received at most twice, {"hang": 1} runs out of time as often,
{"refuse": 1} is named in the answer as failed, {"answer": …} is the whole answer.

What it does is in its log, a line of JSON for each start and each end."""
import json
import os
import time


class JobError(Exception):
    """A job that failed."""


def tell(**what):
    print("job " + json.dumps({"at": time.time_ns(), "pid": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"), **what}), flush=True)


def handler(event, context):
    refused = []
    answer = None
    for record in event["Records"]:
        job = json.loads(record["body"])
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        batch = len(event["Records"])
        tell(event="start", job=job["job"], receives=receives, batch=batch, record=record if job.get("show") else None)
        time.sleep(job.get("ms", 0) / 1000)
        if receives <= job.get("hang", 0):
            time.sleep(60)
        if receives <= job.get("fail", 0):
            raise JobError(job["job"])
        if receives <= job.get("refuse", 0):
            refused.append({"itemIdentifier": record["messageId"]})
            continue
        answer = job.get("answer", answer)
        tell(event="end", job=job["job"])
    if answer is not None:
        return answer
    return {"batchItemFailures": refused}


def echo(event, context):
    return event
