"""Letters that are never sent: they take their time, as sending would."""
import json
import time


def handler(event, context):
    """Takes the jobs of a queue, as SQS's events have them: {"to": "ada", "hang": true}."""
    for record in event["Records"]:
        letter = json.loads(record["body"])
        first = record["attributes"]["ApproximateReceiveCount"] == "1"
        if letter.get("hang") and first:
            # The mail server does not answer, this time.
            time.sleep(60)
        time.sleep(0.05)
        print(f"sent to {letter['to']}, attempt {record['attributes']['ApproximateReceiveCount']}")
