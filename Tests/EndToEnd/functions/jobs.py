"""A function for the tests of schedules: notes what it is given, then does what its event says."""
import json
import os
import time


def handler(event, context):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(json.dumps({"event": event, "request": context.aws_request_id, "now": time.time()}) + "\n")
    match event.get("do"):
        case "fail": raise RuntimeError("told to fail")
        case "wait":
            while not os.path.exists(event["file"]):
                time.sleep(0.05)
            raise RuntimeError("told to fail")
        case "sleep": time.sleep(event["seconds"])
    return "done"
