"""Signatures: the cases of the unit tests are what botocore makes now, and it takes what the command sends."""
import datetime
import importlib.util
import subprocess
from unittest import mock
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kelvin_host import REPOSITORY
from moto_server import environment
from scripted_server import scripted_server

FIXTURE = REPOSITORY / "Tests" / "AWSClientTests" / "Fixtures" / "sign.py"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def test_the_cases_of_the_unit_tests_are_botocores():
    specification = importlib.util.spec_from_file_location("sign", FIXTURE)
    sign = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(sign)
    assert sign.FILE.read_text() == sign.document(), f"run {FIXTURE}"


@pytest.fixture
def recorder():
    with scripted_server({}, otherwise="{}") as server:
        yield server


def botocores(command, path, headers, body, port, token):
    """The Authorization that botocore gives the request that arrived, at the time that it bears."""
    given = dict(headers)
    authorization = given.pop("Authorization")
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method=command, url=f"http://127.0.0.1:{port}{path}", data=body)
    for name, value in given.items():
        if name.lower() in signed and name.lower() not in ("x-amz-date", "x-amz-security-token"):
            request.headers[name] = value
    now = datetime.datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    with mock.patch("botocore.auth.get_current_datetime", lambda *_: now):
        botocore.auth.SigV4Auth(Credentials("AKIDEXAMPLE", SECRET, token), "lambda", "eu-west-3").add_auth(request)
    return authorization, request.headers["Authorization"]


@pytest.mark.parametrize("token", [None, "to/ken+=="])
@pytest.mark.parametrize("function", ["orders", "arn:aws:lambda:eu-west-3:1:function:orders", "a b/ü%$+&?#~", "..", "a/./b"])
def test_botocore_signs_what_is_sent_the_same(kelvin, recorder, tmp_path, function, token):
    variables = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-3"}
    if token:
        variables["AWS_SESSION_TOKEN"] = token
    port = recorder.server_port
    for arguments in (["reserved", "5"], ["provisioned", "--qualifier", "$LATEST ü"]):
        subprocess.run(
            [kelvin, *arguments, "--function", function, "--endpoint-url", f"http://127.0.0.1:{port}/base"],
            cwd=tmp_path, timeout=60, capture_output=True, env=environment(**variables))
    assert len(recorder.asked) == 2
    for request in recorder.asked:
        assert f"/functions/{quote(function, safe='-_.~')}/" in request[1]
        sent, expected = botocores(*request, port, token)
        assert sent == expected
