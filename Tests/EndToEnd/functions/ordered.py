"""A function for awslambdaric that tells a collector each job of a queue that it begins and ends, and fails at random."""
import http.client
import json
import os
import random

connection = None


def tell(*words):
    global connection
    if connection is None:
        connection = http.client.HTTPConnection(os.environ["COLLECTOR"], timeout=10)
    connection.request("POST", "/", json.dumps(words))
    connection.getresponse().read()


def handler(event, context):
    for record in event["Records"]:
        group, number = json.loads(record["body"])
        tell("start", group, number, context.aws_request_id)
        if random.random() < float(os.environ["FAILURES"]):
            tell("fail", group, number, context.aws_request_id)
            raise RuntimeError("at random")
        tell("end", group, number, context.aws_request_id)
