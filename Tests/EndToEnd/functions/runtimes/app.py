"""A module with config and warm-up; handlers of each kind."""
import asyncio
import logging
import sys
import time

config = {"memory": "0.25GB", "timeout": "2s", "reserved": 7}
opened = None
hung = []


async def warmup():
    global opened
    await asyncio.sleep(0.02)
    opened = "warm"


def handler(event, context):
    what = event.get("do")
    if what == "error":
        raise LookupError("out of range")
    if what == "exit":
        sys.exit(3)
    if what == "hang":
        hung.append(context.abort.wait(30))
        time.sleep(event.get("after", 0))
        return {"late": True}
    if what == "hung":
        return {"hung": hung, "aborted": context.abort.is_set()}
    if what == "context":
        return {
            "awsRequestId": context.aws_request_id, "functionName": context.function_name,
            "functionVersion": context.function_version, "invokedFunctionArn": context.invoked_function_arn,
            "memoryLimitInMB": context.memory_limit_in_mb, "logGroupName": context.log_group_name,
            "logStreamName": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
            "clientContext": context.client_context and context.client_context.custom,
        }
    if what == "surrogate":
        raise ValueError(f"cannot use {event['text']}")
    if what == "nothing":
        return None
    if what == "set":
        return {1, 2}
    if what == "log":
        logging.getLogger().warning("one\ntwo")
        return None
    return {"opened": opened, "aborted": context.abort.is_set()}


async def asynchronous(event, context):
    await asyncio.sleep(0.01)
    if event.get("do") == "error":
        raise LookupError("asynchronous")
    if event.get("do") == "exit":
        sys.exit(3)
    if event.get("do") == "cancel":
        raise asyncio.CancelledError("given up")
    return {"opened": opened}


def stream(event, context):
    given = event if "requestContext" not in event else __import__("json").loads(event["body"])
    if given.get("early"):
        raise ValueError("before")
    if "prelude" in given:
        yield given["prelude"]
    for count in range(given.get("pieces", 0)):
        yield (b"%c" % (65 + count % 26)) * given.get("size", 10)
    if given.get("late"):
        raise IndexError("after")


async def events(event, context):
    yield {"headers": {"Content-Type": "text/event-stream"}}
    for count in range(3):
        await asyncio.sleep(0.01)
        yield f"data: {count}\n\n"
