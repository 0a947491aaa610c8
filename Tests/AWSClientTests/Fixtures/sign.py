"""Writes signatures.json beside this file: requests of many forms, and what botocore's signer makes of them."""
import datetime
import json
import random
import string
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FILE = Path(__file__).resolve().parent / "signatures.json"
ALPHABETS = [
    string.ascii_letters + string.digits, "$:@-_.~%", " +&=?#/\\\"'<>()[]{}|^`*!,;", "\u00e4\u00df\u2603\U0001f600\u0301",
]


def text(generator, longest):
    alphabet = "".join(generator.sample(ALPHABETS, generator.randint(1, len(ALPHABETS))))
    return "".join(generator.choice(alphabet) for _ in range(generator.randint(0, longest)))


def path(generator):
    """An encoded path; some with what has to be brought into form first."""
    segments = [quote(text(generator, 12), safe="-_.~") for _ in range(generator.randint(0, 5))]
    if generator.random() < 0.2:
        segments.insert(generator.randint(0, len(segments)), generator.choice([".", "..", ""]))
    return "/" + "/".join(segments) + generator.choice(["", "", "/"])


def case(generator):
    names = [text(generator, 6) for _ in range(generator.randint(0, 4))]
    query = [[generator.choice(names), text(generator, 10)] for _ in names]
    headers = [["Host", generator.choice(["lambda.eu-central-1.amazonaws.com", "127.0.0.1:27316"])]]
    if generator.random() < 0.5:
        headers.append(["X-Amz-Meta", "  a   b\tc  " if generator.random() < 0.5 else "plain"])
    if generator.random() < 0.5:
        headers.append(["Content-Type", "application/json"])
    if generator.random() < 0.3:
        headers.append(["User-Agent", "is not signed"])
    return {
        "method": generator.choice(["GET", "PUT", "POST", "DELETE"]), "path": path(generator), "query": query,
        "headers": headers, "body": text(generator, 40), "accessKey": "AKIDEXAMPLE",
        "secretKey": text(generator, 40) or "x", "token": generator.choice([None, "to/ken+=="]),
        "region": generator.choice(["us-east-1", "eu-central-1"]), "service": generator.choice(["lambda", "service"]),
        "seconds": generator.randint(946684800, 4102444800),
    }


def signed(given):
    """The Authorization that botocore makes."""
    url = "https://" + given["headers"][0][1] + given["path"]
    if given["query"]:
        url += "?" + "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in given["query"])
    request = AWSRequest(method=given["method"], url=url, data=given["body"].encode())
    for name, value in given["headers"]:
        request.headers[name] = value
    now = datetime.datetime.fromtimestamp(given["seconds"], datetime.timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_: now):
        signer = botocore.auth.SigV4Auth(
            Credentials(given["accessKey"], given["secretKey"], given["token"]), given["service"], given["region"])
        signer.add_auth(request)
    return request.headers["Authorization"]


def cases():
    generator = random.Random(20150830)
    given = [case(generator) for _ in range(150)]
    return [{**one, "authorization": signed(one)} for one in given]


def document():
    return "[\n" + ",\n".join(json.dumps(one) for one in cases()) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(document())
