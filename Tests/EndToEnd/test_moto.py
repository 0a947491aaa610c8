"""The commands that speak AWS's control plane, against a stand-in for AWS that is not ours, as far as it goes."""
import io
import json
import subprocess
import zipfile

import boto3
import pytest

from moto_server import MotoServer, environment

REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}


@pytest.fixture(scope="module")
def moto():
    with MotoServer() as server:
        yield server


@pytest.fixture(scope="module")
def role(moto):
    iam = boto3.client("iam", endpoint_url=moto.url, **KEYS)
    return iam.create_role(RoleName="functions", AssumeRolePolicyDocument="{}")["Role"]["Arn"]


@pytest.fixture
def boto(moto, role):
    """A client of moto's Lambda, with no functions at first."""
    client = boto3.client("lambda", endpoint_url=moto.url, **KEYS)
    yield client
    for function in client.list_functions()["Functions"]:
        client.delete_function(FunctionName=function["FunctionName"])


def create(boto, role, name, **settings):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event\n")
    return boto.create_function(
        FunctionName=name, Role=role, Runtime="python3.12", Handler="app.handler", Code={"ZipFile": code.getvalue()},
        **settings)


@pytest.fixture
def kelvin_at(kelvin, moto, tmp_path):
    """Runs a command against moto: exit code, standard output, standard error."""
    def run(*arguments, **variables):
        result = subprocess.run(
            [kelvin, *arguments, "--endpoint-url", moto.url, "--region", REGION], cwd=tmp_path, timeout=60,
            capture_output=True, text=True, env=environment(**variables))
        return result.returncode, result.stdout, result.stderr
    return run


def test_reserved_is_set_shown_and_given_back(boto, role, kelvin_at):
    create(boto, role, "orders")
    assert kelvin_at("reserved") == (0, "orders: no reserve\n", "")
    assert kelvin_at("reserved", "50") == (0, "orders: reserved 50\n", "")
    assert boto.get_function_concurrency(FunctionName="orders")["ReservedConcurrentExecutions"] == 50
    assert kelvin_at("reserve", "0", "--function", "orders") == (0, "orders: reserved 0 (paused)\n", "")
    assert boto.get_function_concurrency(FunctionName="orders")["ReservedConcurrentExecutions"] == 0
    code, output, _ = kelvin_at("reserved", "--output", "json")
    assert (code, json.loads(output)) == (0, {"function": "orders", "reserved": 0})
    assert kelvin_at("reserved", "off") == (0, "orders: no reserve\n", "")
    assert "ReservedConcurrentExecutions" not in boto.get_function_concurrency(FunctionName="orders")


def test_one_of_several_functions_has_to_be_named(boto, role, kelvin_at):
    create(boto, role, "orders")
    create(boto, role, "reports")
    code, output, messages = kelvin_at("reserved", "5")
    assert (code, output) == (64, "")
    assert messages == "kelvin: Which function? Name one with --function: orders, reports.\n"
    assert kelvin_at("reserved", "5", "--function", "reports") == (0, "reports: reserved 5\n", "")
    assert boto.get_function_concurrency(FunctionName="orders").get("ReservedConcurrentExecutions") is None


def test_the_only_function_of_the_configuration_is_taken(boto, role, kelvin_at, tmp_path):
    create(boto, role, "orders")
    create(boto, role, "reports")
    (tmp_path / "kelvin.yaml").write_text("functions: {reports: {command: [app]}}\n")
    assert kelvin_at("reserved", "7") == (0, "reports: reserved 7\n", "")


def test_refusals_say_what_aws_says(boto, kelvin_at):
    code, output, messages = kelvin_at("reserved", "5", "--function", "nothing")
    assert (code, output) == (1, "")
    assert messages.startswith("kelvin: PutFunctionConcurrency was refused (ResourceNotFoundException): Function not found")


def test_no_functions_at_all(boto, kelvin_at):
    code, _, messages = kelvin_at("reserved", "5")
    assert code == 64
    assert "has no functions" in messages


def test_provisioned_concurrency_is_what_moto_does_not_have(boto, role, kelvin_at):
    create(boto, role, "orders")
    for arguments in (("5",), ("off",), ()):
        code, output, messages = kelvin_at("provisioned", *arguments)
        assert (code, output) == (1, "")
        assert "does not have" in messages and "ProvisionedConcurrencyConfig" in messages
