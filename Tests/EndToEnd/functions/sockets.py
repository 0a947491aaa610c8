"""What the tests of WebSockets talk to: says what it was given, fails, sleeps and posts when it is told to."""
import base64
import json
import os
import time
import urllib.error
import urllib.request

EVENTS = os.environ.get("EVENTS_FILE")


def note(event):
    if EVENTS:
        with open(EVENTS, "a") as file:
            file.write(json.dumps(event) + "\n")


def connect(event, _):
    note(event)
    query = event.get("queryStringParameters") or {}
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "fail" in query:
        raise RuntimeError("not today")
    answer = {"statusCode": int(query.get("status", 200))}
    if "protocol" in query:
        answer["headers"] = {"Sec-WebSocket-Protocol": query["protocol"]}
    if "post" in query:
        answer["headers"] = {"X-Posted": str(post(query["post"], event, b"too early"))}
        answer["statusCode"] = 403
    return answer


def disconnect(event, _):
    note(event)


def message(event, _):
    note(event)
    if event["requestContext"]["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    if event["isBase64Encoded"]:
        return {"statusCode": 200, "body": event["body"], "isBase64Encoded": True}
    try:
        asked = json.loads(event["body"])
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return {"statusCode": 200, "body": event["body"]}
    match asked.get("do"):
        case "event": return event
        case "fail": raise RuntimeError("told to fail")
        case "exit": os._exit(3)
        case "sleep": time.sleep(asked["seconds"])
        case "silent": return None
        case "answer": return asked["answer"]
        case "large": return {"statusCode": 200, "body": "x" * asked["bytes"]}
        case "base64": return {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(bytes(range(256))).decode()}
    return {"statusCode": 200, "body": event["body"]}


def rooms(event, _):
    return {"statusCode": 200, "body": "rooms:" + event["requestContext"]["routeKey"]}


def post(host, event, data):
    """The status of a post to the connection of an event."""
    url = f"http://{host}/local/@connections/{event['requestContext']['connectionId']}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method="POST")) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
