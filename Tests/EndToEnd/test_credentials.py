"""Where credentials come from, with the endpoints that hand them out as real servers."""
import json
import subprocess

import pytest

from moto_server import environment
from scripted_server import scripted_server

KEYS = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "Token": "the-token", "Code": "Success"}


# The control plane, the container's endpoint and the machine's metadata in one.
ANSWERS = {
    "/container/keys": json.dumps(KEYS),
    "/latest/api/token": "metadata-token",
    "/latest/meta-data/iam/security-credentials/": "my-role",
    "/latest/meta-data/iam/security-credentials/my-role": json.dumps(KEYS),
    "/latest/meta-data/placement/region": "eu-north-1",
}


@pytest.fixture
def server():
    with scripted_server(ANSWERS, otherwise='{"ReservedConcurrentExecutions":50}') as server:
        yield server


def reserved(kelvin, server, folder, *arguments, **variables):
    """Asks a service that does not look as if it were on this machine, so that credentials matter."""
    result = subprocess.run(
        [kelvin, "reserved", "--function", "orders", *arguments], cwd=folder, timeout=60, capture_output=True,
        text=True, env=environment(**variables))
    calls = [headers for _, path, headers, _ in server.asked if "/functions/" in path]
    return result, calls


def elsewhere(server):
    return f"http://0.0.0.0:{server.server_port}"


def test_the_containers_endpoint(kelvin, server, tmp_path):
    (tmp_path / "token").write_text("from the file\n")
    result, calls = reserved(
        kelvin, server, tmp_path, "--endpoint-url", elsewhere(server), "--region", "eu-west-1",
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://127.0.0.1:{server.server_port}/container/keys",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "orders: reserved 50\n", "")
    assert server.asked[0][1] == "/container/keys"
    assert server.asked[0][2]["Authorization"] == "from the file"
    assert "Credential=ASIAEXAMPLE/" in calls[0]["Authorization"]
    assert "/eu-west-1/lambda/aws4_request" in calls[0]["Authorization"]
    assert calls[0]["X-Amz-Security-Token"] == "the-token"


def test_the_machines_metadata(kelvin, server, tmp_path):
    result, calls = reserved(
        kelvin, server, tmp_path, "--aws", AWS_ENDPOINT_URL_LAMBDA=elsewhere(server), AWS_EC2_METADATA_DISABLED="false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "orders: reserved 50\n", "")
    assert "Credential=ASIAEXAMPLE/" in calls[0]["Authorization"]
    assert "/eu-north-1/lambda/aws4_request" in calls[0]["Authorization"]
    asked = [(command, path) for command, path, _, _ in server.asked]
    assert ("PUT", "/latest/api/token") in asked
    assert all(
        headers["X-aws-ec2-metadata-token"] == "metadata-token" for _, path, headers, _ in server.asked
        if path.startswith("/latest/meta-data/"))


def test_without_any_nothing_is_sent(kelvin, server, tmp_path):
    result, calls = reserved(kelvin, server, tmp_path, "--endpoint-url", elsewhere(server))
    assert (result.returncode, result.stdout) == (1, "")
    assert f"No credentials for {elsewhere(server)} were found" in result.stderr
    assert calls == [] and server.asked == []


def test_this_machine_needs_none(kelvin, server, tmp_path):
    result, calls = reserved(kelvin, server, tmp_path, "--endpoint-url", f"http://127.0.0.1:{server.server_port}")
    assert (result.returncode, result.stdout) == (0, "orders: reserved 50\n")
    assert "Credential=kelvin/" in calls[0]["Authorization"]
    assert len(server.asked) == 1
