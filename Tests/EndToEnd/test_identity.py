"""The region and account that a host claims to be, and variables that AWS keeps for itself."""
import json

import botocore.exceptions
import pytest

from kelvin_host import python_function, run

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:reports"
RESERVED = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided contains "
    "reserved keys that are currently not supported for modification. Reserved keys used in this request: ")


@pytest.fixture(scope="module")
def host(hosts):
    environment = {"AWS_ACCESS_KEY_ID": "AKIDMINE", "_HANDLER": "mine.handler"}
    host = hosts({"reports": python_function(environment=environment)})
    path = host.folder / "kelvin.yaml"
    configuration = json.loads(path.read_text())
    configuration["host"].update(region="eu-west-1", accountId="123456789012")
    path.write_text(json.dumps(configuration))
    return host.start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


def test_arns_name_the_region_and_the_account(host, boto):
    assert host.invoke("reports", {"do": "ok"}).json()["arn"] == ARN
    assert host.url("reports", "/").json()["arn"] == ARN + ":current"
    assert boto.get_function_configuration(FunctionName="reports")["FunctionArn"] == ARN
    assert boto.get_function_configuration(FunctionName="reports")["Role"] == "arn:aws:iam::123456789012:role/kelvin"
    assert boto.list_aliases(FunctionName="reports")["Aliases"][0]["AliasArn"] == ARN + ":current"
    assert boto.get_function_url_config(FunctionName="reports", Qualifier="current")["FunctionArn"] == ARN + ":current"
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        boto.invoke(FunctionName="nobody")
    assert ":eu-west-1:123456789012:function:nobody" in str(caught.value)
    # A caller may name any other region and account.
    other = "arn:aws:lambda:us-east-1:000000000000:function:reports"
    assert boto.invoke(FunctionName=other)["StatusCode"] == 200


def test_instances_are_told_the_region(host):
    environment = host.invoke("reports", {"do": "environment"}).json()
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIDMINE", "credentials are for kelvin.yaml to set"
    assert environment["_HANDLER"] == "mine.handler"


@pytest.mark.parametrize("variables, message", [
    ({"AWS_REGION": "eu-west-1"}, RESERVED + "AWS_REGION"),
    ({"LAMBDA_TASK_ROOT": "/x"}, RESERVED + "LAMBDA_TASK_ROOT"),
    ({"_X_AMZN_TRACE_ID": "x"}, RESERVED + "_X_AMZN_TRACE_ID"),
    ({"AB": "x" * 5000}, "exceeded the 4KB limit"),
    ({"A": "x"}, "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"),
    ({"AB": ["x"]}, "AB must be a string"),
])
def test_a_file_with_variables_that_aws_refuses_is_refused(kelvin, tmp_path, variables, message):
    configuration = {
        "agent": {"listen": "127.0.0.1:0"}, "host": {"listen": "127.0.0.1:0"},
        "functions": {"f": {"command": ["true"], "environment": variables}}}
    (tmp_path / "kelvin.yaml").write_text(json.dumps(configuration))
    checked = run(kelvin, "check-config", cwd=tmp_path)
    assert checked.returncode == 64 and message in checked.stdout + checked.stderr, checked
    started = run(kelvin, "host", cwd=tmp_path)
    assert started.returncode == 64 and message in started.stderr, started


def test_a_client_cannot_set_them_either(boto):
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID"):
        with pytest.raises(boto.exceptions.InvalidParameterValueException) as caught:
            boto.update_function_configuration(FunctionName="reports", Environment={"Variables": {name: "x"}})
        assert RESERVED + name in str(caught.value)
