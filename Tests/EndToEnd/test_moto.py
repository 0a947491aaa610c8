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


def test_a_function_that_is_not_there_is_said(boto, kelvin_at):
    code, output, messages = kelvin_at("reserved", "5", "--function", "nothing")
    assert (code, output) == (64, "")
    assert messages.startswith("kelvin: There is no function nothing at ")


def test_no_functions_at_all(boto, kelvin_at):
    code, _, messages = kelvin_at("reserved", "5")
    assert code == 64
    assert "There are no functions at" in messages


def test_provisioned_concurrency_is_what_moto_does_not_have(boto, role, kelvin_at):
    create(boto, role, "orders")
    for arguments in (("5",), ("off",), ()):
        code, output, messages = kelvin_at("provisioned", *arguments)
        assert (code, output) == (1, "")
        assert "does not have" in messages and "ProvisionedConcurrencyConfig" in messages


def test_status_shows_what_moto_says_and_leaves_the_rest_open(boto, role, kelvin_at):
    create(boto, role, "orders", MemorySize=512, Timeout=10, EphemeralStorage={"Size": 1024})
    create(boto, role, "reports")
    boto.put_function_concurrency(FunctionName="reports", ReservedConcurrentExecutions=0)
    code, output, messages = kelvin_at("status")
    assert code == 0, messages
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in output.splitlines() if line}
    assert rows["orders"] == "512 MB 10 s 1 GB no reserve unknown"
    assert rows["reports"] == "128 MB 3 s 512 MB 0 (paused) unknown"
    assert "concurrency of the account: unknown" in output
    assert "does not have GetAccountSettings" in messages
    assert "does not have ListProvisionedConcurrencyConfigs" in messages
    assert messages.count("\n") == 2

    code, output, _ = kelvin_at("status", "--output", "json", "--function", "orders")
    assert code == 0
    document = json.loads(output)
    assert document["controlPlane"]["region"] == REGION
    assert document["controlPlane"]["unknown"] == ["GetAccountSettings", "ListProvisionedConcurrencyConfigs"]
    assert document["account"] == {"concurrencyLimit": None}
    assert [function["function"] for function in document["functions"]] == ["orders"]
    assert document["functions"][0]["limits"] == {
        "memoryLimitBytes": 512 << 20, "timeoutSeconds": 10, "temporaryStorageLimitBytes": 1024 << 20, "reserved": None,
    }


def test_many_functions_are_read_in_order(boto, role, kelvin_at):
    names = [f"f{number:02}" for number in range(12)]
    for number, name in enumerate(names):
        create(boto, role, name)
        boto.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)
    code, output, _ = kelvin_at("status", "--output", "json")
    assert code == 0
    functions = json.loads(output)["functions"]
    assert [(function["function"], function["limits"]["reserved"]) for function in functions] == list(
        zip(names, range(12)))


def test_a_region_has_functions_of_its_own(boto, role, kelvin, moto, tmp_path):
    create(boto, role, "orders")
    other = subprocess.run(
        [kelvin, "status", "--endpoint-url", moto.url, "--output", "json"], cwd=tmp_path, timeout=60,
        capture_output=True, text=True, env=environment(AWS_REGION="us-west-2"))
    assert other.returncode == 0
    assert json.loads(other.stdout)["functions"] == []


def test_aws_means_what_its_own_tools_are_told(boto, role, kelvin, moto, tmp_path):
    """--aws with a profile that names an endpoint, as AWS's command line reads it."""
    create(boto, role, "orders")
    (tmp_path / "config").write_text(
        f"[profile local]\nregion = {REGION}\nservices = here\n[services here]\nlambda =\n  endpoint_url = {moto.url}\n")
    (tmp_path / "credentials").write_text("[local]\naws_access_key_id = a\naws_secret_access_key = b\n")
    variables = environment(
        AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"))
    result = subprocess.run(
        [kelvin, "reserved", "5", "--aws", "--profile", "local"], cwd=tmp_path, timeout=60, capture_output=True,
        text=True, env=variables)
    assert (result.returncode, result.stdout, result.stderr) == (0, "orders: reserved 5\n", "")
    assert boto.get_function_concurrency(FunctionName="orders")["ReservedConcurrentExecutions"] == 5
