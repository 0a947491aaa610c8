"""The control plane of AWS Lambda on the host's port, walked through by clients that come as they are."""
import base64
import json
import os
import subprocess
import sys
import uuid

import botocore.exceptions
import pytest

from kelvin_host import poll, python_function, request

ACCOUNT = "arn:aws:lambda:us-east-1:000000000000:function"
NOT_WHOLE = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)
OTHER_REVISION = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
    "the latest Revision Id"
)


@pytest.fixture(scope="module")
def host(hosts):
    functions = {f"list{number:02}": python_function() for number in range(60)}
    functions |= {
        "reports": python_function(timeout="2s", memory=256, environment={"STAGE": "test"}),
        "walk": python_function(timeout="20s"),
        "pool": python_function(timeout="20s"),
        "limits": python_function(timeout="20s"),
        "versions": python_function(timeout="20s"),
        "broken": {"command": [sys.executable, "-c", "raise SystemExit(3)"]},
    }
    return hosts(functions).start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


@pytest.fixture
def walk(boto):
    """The function that is changed, as it is at first; what a test did to it is undone."""
    yield boto.get_function_configuration(FunctionName="walk")
    boto.update_function_configuration(
        FunctionName="walk", MemorySize=128, Timeout=20, EphemeralStorage={"Size": 512}, Description="",
        Environment={"Variables": {}})
    boto.get_waiter("function_updated_v2").wait(FunctionName="walk")


def refused(call, status, code, message, has_type=True):
    """Asserts that a call is refused so, word for word."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    response = caught.value.response
    assert response["Error"]["Message"] == message
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == code
    assert response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    assert (response.get("Type") in ("User", None)) if has_type else "Type" not in response
    return response


def status(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def payload(answer):
    return json.loads(answer["Payload"].read())


# Functions


def test_get_function(host, boto):
    answer = boto.get_function(FunctionName="reports")
    assert status(answer) == 200
    configuration = answer["Configuration"]
    assert configuration.pop("LastModified").endswith("+0000")
    assert uuid.UUID(configuration.pop("RevisionId"))
    assert len(base64.b64decode(configuration.pop("CodeSha256"))) == 32
    assert configuration.pop("Environment")["Variables"]["STAGE"] == "test"
    assert configuration.pop("Architectures") in (["x86_64"], ["arm64"])
    assert configuration == {
        "FunctionName": "reports", "FunctionArn": f"{ACCOUNT}:reports", "Runtime": "provided.al2023",
        "Role": "arn:aws:iam::000000000000:role/kelvin", "Handler": "app.handler", "CodeSize": 0, "Description": "",
        "Timeout": 2, "MemorySize": 256, "Version": "$LATEST", "TracingConfig": {"Mode": "PassThrough"},
        "State": "Active", "LastUpdateStatus": "Successful", "PackageType": "Zip", "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }
    assert answer["Code"]["Location"].startswith("file:///")
    assert "Concurrency" not in answer


@pytest.mark.parametrize(("name", "qualifier", "arn", "version"), [
    ("reports", None, f"{ACCOUNT}:reports", "$LATEST"),
    ("reports:$LATEST", None, f"{ACCOUNT}:reports:$LATEST", "$LATEST"),
    ("reports", "$LATEST", f"{ACCOUNT}:reports:$LATEST", "$LATEST"),
    ("reports", "1", f"{ACCOUNT}:reports:1", "1"),
    ("reports:current", None, f"{ACCOUNT}:reports:current", "1"),
    ("reports:current", "current", f"{ACCOUNT}:reports:current", "1"),
    ("000000000000:function:reports:1", None, f"{ACCOUNT}:reports:1", "1"),
    ("arn:aws:lambda:eu-central-1:000000000000:function:reports", "current", f"{ACCOUNT}:reports:current", "1"),
])
def test_every_form_of_a_name(boto, name, qualifier, arn, version):
    options = {"Qualifier": qualifier} if qualifier else {}
    for configuration in (
        boto.get_function(FunctionName=name, **options)["Configuration"],
        boto.get_function_configuration(FunctionName=name, **options),
    ):
        assert (configuration["FunctionArn"], configuration["Version"]) == (arn, version)


def test_a_configuration_of_openssl_without_its_provider_ends_nobody(hosts, client, tmp_path, monkeypatch):
    """A FIPS configuration on a machine that lacks the module: signatures and fingerprints do not ask for it."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text("openssl_conf = init\n[init]\nalg_section = evp\n[evp]\ndefault_properties = fips=yes\n")
    monkeypatch.setenv("OPENSSL_CONF", str(configuration))
    host = hosts({"orders": python_function()}).start()
    assert client(host).get_function(FunctionName="orders")["Configuration"]["CodeSha256"]
    result = host.run("status", "--agent", f"http://{host.agent}", "--host-url", f"http://{host.host}")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert "orders" in result.stdout


def test_functions_that_are_not_there(host, boto):
    for call in (boto.get_function, boto.get_function_configuration, boto.get_function_concurrency,
                 boto.list_versions_by_function, boto.publish_version, boto.list_aliases,
                 boto.delete_function_concurrency, boto.list_provisioned_concurrency_configs):
        refused(
            lambda call=call: call(FunctionName="missing"), 404, "ResourceNotFoundException",
            f"Function not found: {ACCOUNT}:missing:$LATEST")
    for qualifier in ("7", "nobody"):
        refused(
            lambda q=qualifier: boto.get_function(FunctionName="reports", Qualifier=q), 404,
            "ResourceNotFoundException", f"Function not found: {ACCOUNT}:reports:{qualifier}")
        refused(
            lambda q=qualifier: boto.invoke(FunctionName="reports", Qualifier=q), 404, "ResourceNotFoundException",
            f"Function not found: {ACCOUNT}:reports:{qualifier}")
    refused(
        lambda: boto.get_function(FunctionName="reports:1", Qualifier="2"), 400, "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.")
    body = request(host.host, "GET", "/2015-03-31/functions/missing").body
    assert json.loads(body) == {"Type": "User", "Message": f"Function not found: {ACCOUNT}:missing:$LATEST"}


def test_list_functions_in_pages(boto):
    first = boto.list_functions()
    assert len(first["Functions"]) == 50
    second = boto.list_functions(Marker=first["NextMarker"], MaxItems=10_000)
    names = [function["FunctionName"] for function in first["Functions"] + second["Functions"]]
    assert "NextMarker" not in second
    assert names == sorted(names) and len(names) == 66
    assert "State" not in first["Functions"][0] and "LastUpdateStatus" not in first["Functions"][0]
    pages = boto.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 7})
    assert [function["FunctionName"] for page in pages for function in page["Functions"]] == names
    pages = boto.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    arns = [function["FunctionArn"] for page in pages for function in page["Functions"]]
    assert f"{ACCOUNT}:list00:$LATEST" in arns and f"{ACCOUNT}:list00:1" in arns
    assert len(arns) == len(set(arns)) >= 132


def test_what_lists_refuse(host, boto):
    def message(query):
        answer = request(host.host, "GET", f"/2015-03-31/functions?{query}")
        assert answer.status == 400, answer
        return json.loads(answer.body)["message"]

    assert message("MaxItems=0") == (
        "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value "
        "greater than or equal to 1")
    assert "less than or equal to 10000" in message("MaxItems=10001")
    assert message("FunctionVersion=SOME") == (
        "1 validation error detected: Value 'SOME' at 'functionVersion' failed to satisfy constraint: Member must "
        "satisfy enum value set: [ALL]")
    assert "was not made by this operation" in message("Marker=%25")
    answer = request(
        host.host, "GET", "/2019-09-30/functions/reports/provisioned-concurrency?List=ALL&MaxItems=51")
    assert "less than or equal to 50" in json.loads(answer.body)["message"]


# Configuration


def test_a_change_takes_effect(boto, walk):
    before = payload(boto.invoke(FunctionName="walk", Payload=b'{"do": "ok"}'))
    assert before["memory"] in (128, "128")
    changed = boto.update_function_configuration(
        FunctionName="walk", MemorySize=256, Timeout=7, EphemeralStorage={"Size": 1024}, Description="changed",
        Environment={"Variables": {"STAGE": "two"}})
    assert status(changed) == 200
    assert changed["LastUpdateStatus"] == "InProgress" and changed["State"] == "Active"
    assert changed["RevisionId"] != walk["RevisionId"]
    boto.get_waiter("function_updated_v2").wait(FunctionName="walk")
    boto.get_waiter("function_active_v2").wait(FunctionName="walk")
    now = boto.get_function_configuration(FunctionName="walk")
    assert (now["MemorySize"], now["Timeout"], now["EphemeralStorage"], now["Description"]) == (
        256, 7, {"Size": 1024}, "changed")
    assert now["Environment"] == {"Variables": {"STAGE": "two"}}
    assert now["LastUpdateStatus"] == "Successful"
    after = payload(boto.invoke(FunctionName="walk", Payload=b'{"do": "ok"}'))
    assert after["memory"] in (256, "256") and after["instance"] != before["instance"]
    assert after["remaining"] <= 7000
    environment = payload(boto.invoke(FunctionName="walk", Payload=b'{"do": "environment"}'))
    assert environment["STAGE"] == "two"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    # A version is what it was when it was published.
    assert boto.get_function_configuration(FunctionName="walk", Qualifier="1")["MemorySize"] == 128


def test_a_change_is_seen_in_the_limits(host, boto, walk):
    boto.update_function_configuration(FunctionName="walk", MemorySize=512, Timeout=9)

    def limits():
        metrics = host.metrics()
        return (metrics.get("lambda_memory_limit_bytes", function="walk"),
                metrics.get("lambda_timeout_seconds", function="walk"))

    poll(lambda: limits() == (512 << 20, 9), 20, lambda: f"the limits are told: {limits()}")


def test_changes_out_of_range(boto):
    def change(**settings):
        return lambda: boto.update_function_configuration(FunctionName="reports", **settings)

    one = "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have value %s"
    for settings, value, member, bound in (
        ({"Timeout": 901}, 901, "timeout", "less than or equal to 900"),
        ({"Timeout": 0}, 0, "timeout", "greater than or equal to 1"),
        ({"MemorySize": 127}, 127, "memorySize", "greater than or equal to 128"),
        ({"MemorySize": 10241}, 10241, "memorySize", "less than or equal to 10240"),
        ({"EphemeralStorage": {"Size": 10241}}, 10241, "ephemeralStorage.size", "less than or equal to 10240"),
    ):
        without_checks(boto, lambda: refused(
            change(**settings), 400, "ValidationException", one % (value, member, bound)))
    without_checks(boto, lambda: refused(
        change(Timeout=901, MemorySize=1), 400, "ValidationException",
        "2 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value "
        "less than or equal to 900; Value '1' at 'memorySize' failed to satisfy constraint: Member must have value "
        "greater than or equal to 128"))
    assert boto.get_function_configuration(FunctionName="reports")["Timeout"] == 2


def without_checks(boto, body):
    """Lets through what boto3 itself would refuse."""
    serializer = boto._serializer
    validate, serializer._param_validator = getattr(serializer, "_param_validator", None), Anything()
    try:
        body()
    finally:
        serializer._param_validator = validate


class Anything:
    @staticmethod
    def validate(_parameters, _shape):
        return Report()


class Report:
    @staticmethod
    def has_errors():
        return False


def test_changes_on_top_of_another_revision(boto, walk):
    refused(
        lambda: boto.update_function_configuration(FunctionName="walk", Timeout=3, RevisionId=str(uuid.uuid4())), 412,
        "PreconditionFailedException", OTHER_REVISION)
    boto.update_function_configuration(FunctionName="walk", Timeout=3, RevisionId=walk["RevisionId"])
    refused(
        lambda: boto.update_function_configuration(FunctionName="walk", Timeout=4, RevisionId=walk["RevisionId"]), 412,
        "PreconditionFailedException", OTHER_REVISION)
    assert boto.get_function_configuration(FunctionName="walk")["Timeout"] == 3


def test_changes_that_the_host_cannot_make(boto):
    for settings in ({"Handler": "x.y"}, {"Runtime": "python3.13"}, {"TracingConfig": {"Mode": "Active"}},
                     {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]},
                     {"LoggingConfig": {"LogFormat": "JSON"}}):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            boto.update_function_configuration(FunctionName="reports", **settings)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert response["Error"]["Code"] == "NotImplementedException"
        assert next(iter(settings)) in response["Error"]["Message"]
    refused(
        lambda: boto.update_function_configuration(FunctionName="reports:1", Timeout=3), 400,
        "InvalidParameterValueException", NOT_WHOLE)
    refused(
        lambda: boto.update_function_configuration(
            FunctionName="reports", Environment={"Variables": {"AWS_REGION": "x"}}), 400,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "AWS_REGION")


@pytest.mark.parametrize(("body", "code"), [
    (b"{", "InvalidRequestContentException"), (b"\xff", "InvalidRequestContentException"),
    (b'{"Timeout": "3"}', "SerializationException"), (b"[]", "SerializationException"),
    (b'{"Timeout": 1.5}', "SerializationException"), (b'{"Environment": {"Variables": {"AB": 1}}}', "SerializationException"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "SerializationException"),
])
def test_bodies_that_cannot_be_read(host, body, code):
    answer = request(host.host, "PUT", "/2015-03-31/functions/reports/configuration", body)
    assert answer.status == 400
    assert answer.headers["x-amzn-ErrorType"] == code
    assert set(json.loads(answer.body)) == {"Type", "message"}


def test_a_body_over_the_limit(host):
    body = b'{"Description": "' + b"x" * (200 << 10) + b'"}'
    answer = request(host.host, "PUT", "/2015-03-31/functions/reports/configuration", body)
    assert answer.status == 413
    assert answer.headers["x-amzn-ErrorType"] == "RequestTooLargeException"


# Versions and aliases


def test_versions(boto):
    name = "versions"
    first = boto.publish_version(FunctionName=name)
    assert status(first) == 201
    assert (first["Version"], first["FunctionArn"]) == ("1", f"{ACCOUNT}:{name}:1")  # Nothing has changed.
    boto.update_function_configuration(FunctionName=name, MemorySize=192, Description="latest")
    boto.get_waiter("function_updated_v2").wait(FunctionName=name)
    latest = boto.get_function_configuration(FunctionName=name)
    refused(
        lambda: boto.publish_version(FunctionName=name, RevisionId=first["RevisionId"]), 412,
        "PreconditionFailedException", OTHER_REVISION)
    refused(
        lambda: boto.publish_version(FunctionName=name, CodeSha256="other"), 400, "InvalidParameterValueException",
        f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({latest['CodeSha256']}). Please try again "
        "with the CodeSHA256 in $LATEST.")
    second = boto.publish_version(
        FunctionName=name, RevisionId=latest["RevisionId"], CodeSha256=latest["CodeSha256"], Description="two")
    assert (second["Version"], second["Description"], second["MemorySize"]) == ("2", "two", 192)
    assert boto.publish_version(FunctionName=name)["Version"] == "2"
    boto.get_waiter("function_active_v2").wait(FunctionName=name, Qualifier="2")
    boto.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="2")
    listed = boto.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]
    assert [version["Description"] for version in listed] == ["latest", "", "two"]
    pages = boto.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1})
    assert [page["Versions"][0]["Version"] for page in pages] == ["$LATEST", "1", "2"]
    for qualifier, memory in (("1", "128"), ("2", "192"), ("$LATEST", "192")):
        answer = boto.invoke(FunctionName=name, Qualifier=qualifier, Payload=b'{"do": "environment"}')
        environment = payload(answer)
        assert answer["ExecutedVersion"] == environment["AWS_LAMBDA_FUNCTION_VERSION"] == qualifier
        assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == memory
    refused(
        lambda: boto.publish_version(FunctionName=f"{name}:1"), 400, "InvalidParameterValueException", NOT_WHOLE)


def test_aliases(boto):
    name = "walk"
    created = boto.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    assert status(created) == 201
    del created["ResponseMetadata"]
    assert uuid.UUID(created["RevisionId"])
    assert created == {
        "AliasArn": f"{ACCOUNT}:{name}:live", "Name": "live", "FunctionVersion": "1", "Description": "d",
        "RevisionId": created["RevisionId"]}
    refused(
        lambda: boto.create_alias(FunctionName=name, Name="live", FunctionVersion="1"), 409,
        "ResourceConflictException", f"Alias already exists: {ACCOUNT}:{name}:live")
    refused(
        lambda: boto.create_alias(FunctionName=name, Name="other", FunctionVersion="9"), 404,
        "ResourceNotFoundException", f"Function not found: {ACCOUNT}:{name}:9")
    got = boto.get_alias(FunctionName=name, Name="live")
    del got["ResponseMetadata"]
    assert got == created
    answer = boto.invoke(FunctionName=name, Qualifier="live", Payload=b'{"do": "ok"}')
    assert answer["ExecutedVersion"] == "1"
    assert payload(answer)["arn"] == f"{ACCOUNT}:{name}:live"
    refused(
        lambda: boto.update_alias(FunctionName=name, Name="live", RevisionId="x", Description="e"), 412,
        "PreconditionFailedException", OTHER_REVISION)
    updated = boto.update_alias(
        FunctionName=name, Name="live", RevisionId=created["RevisionId"], FunctionVersion="$LATEST")
    assert (updated["FunctionVersion"], updated["Description"]) == ("$LATEST", "d")
    assert updated["RevisionId"] != created["RevisionId"]
    assert boto.invoke(FunctionName=name, Qualifier="live", Payload=b"{}")["ExecutedVersion"] == "$LATEST"
    assert [alias["Name"] for alias in boto.list_aliases(FunctionName=name)["Aliases"]] == ["current", "live"]
    only = boto.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in only] == ["current"]
    pages = boto.get_paginator("list_aliases").paginate(FunctionName=name, PaginationConfig={"PageSize": 1})
    assert [page["Aliases"][0]["Name"] for page in pages] == ["current", "live"]
    assert status(boto.delete_alias(FunctionName=name, Name="live")) == 204
    assert status(boto.delete_alias(FunctionName=name, Name="live")) == 204
    for call in (boto.get_alias, boto.update_alias):
        refused(
            lambda call=call: call(FunctionName=name, Name="live"), 404, "ResourceNotFoundException",
            f"Cannot find alias arn: {ACCOUNT}:{name}:live")
    with pytest.raises(boto.exceptions.ResourceConflictException):
        boto.delete_alias(FunctionName=name, Name="current")


def test_what_aliases_refuse(host, boto):
    def create(body):
        answer = request(host.host, "POST", "/2015-03-31/functions/reports/aliases", json.dumps(body))
        document = json.loads(answer.body)
        return answer.status, answer.headers["x-amzn-ErrorType"], document["message"]

    head = "1 validation error detected: Value "
    assert create({"Name": "12", "FunctionVersion": "1"}) == (
        400, "ValidationException", head + "'12' at 'name' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
    assert create({"FunctionVersion": "1"})[2] == (
        head + "null at 'name' failed to satisfy constraint: Member must not be null")
    assert create({})[2].startswith("2 validation errors detected: ")
    assert create({"Name": "a", "FunctionVersion": "current"})[2].startswith(head + "'current' at 'functionVersion'")
    assert create({"Name": "x" * 129, "FunctionVersion": "1"})[2].endswith("length less than or equal to 128")
    routing = {"AdditionalVersionWeights": {"1": 0.5}}
    assert create({"Name": "a", "FunctionVersion": "1", "RoutingConfig": routing})[:2] == (
        501, "NotImplementedException")
    assert [alias["Name"] for alias in boto.list_aliases(FunctionName="reports")["Aliases"]] == ["current"]


# Concurrency


def test_reserved_concurrency(boto):
    name = "limits"
    unset = boto.get_function_concurrency(FunctionName=name)
    assert status(unset) == 200 and "ReservedConcurrentExecutions" not in unset
    before = boto.get_account_settings()["AccountLimit"]
    put = boto.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=50)
    assert (status(put), put["ReservedConcurrentExecutions"]) == (200, 50)
    assert boto.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 50
    assert boto.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 50}
    account = boto.get_account_settings()["AccountLimit"]
    assert account["UnreservedConcurrentExecutions"] == before["UnreservedConcurrentExecutions"] - 50
    assert status(boto.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)) == 200
    assert boto.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    with pytest.raises(boto.exceptions.TooManyRequestsException) as caught:
        boto.invoke(FunctionName=name)
    response = caught.value.response
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert int(response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 1
    assert status(boto.delete_function_concurrency(FunctionName=name)) == 204
    assert status(boto.delete_function_concurrency(FunctionName=name)) == 204
    assert "ReservedConcurrentExecutions" not in boto.get_function_concurrency(FunctionName=name)
    assert payload(boto.invoke(FunctionName=name, Payload=b'{"do": "ok"}'))["did"] == "ok"


def test_what_reserved_concurrency_refuses(host, boto):
    refused(
        lambda: boto.put_function_concurrency(FunctionName="limits", ReservedConcurrentExecutions=901), 400,
        "InvalidParameterValueException",
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100].", has_type=False)
    for qualified in ("limits:1", "limits:current", "limits:$LATEST", f"{ACCOUNT}:limits:1"):
        refused(
            lambda q=qualified: boto.put_function_concurrency(FunctionName=q, ReservedConcurrentExecutions=1), 400,
            "InvalidParameterValueException", NOT_WHOLE)

    def put(body):
        answer = request(host.host, "PUT", "/2017-10-31/functions/limits/concurrency", body)
        assert answer.status == 400, answer
        return json.loads(answer.body)["message"]

    head = "1 validation error detected: Value "
    assert put("{}") == (
        head + "null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null")
    assert put('{"ReservedConcurrentExecutions": -1}') == (
        head + "'-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater "
        "than or equal to 0")


def test_provisioned_concurrency(boto):
    name, options = "pool", {"FunctionName": "pool", "Qualifier": "current"}
    refused(
        lambda: boto.get_provisioned_concurrency_config(**options), 404,
        "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
    assert status(boto.delete_provisioned_concurrency_config(**options)) == 204
    put = boto.put_provisioned_concurrency_config(**options, ProvisionedConcurrentExecutions=2)
    assert (status(put), put["Status"], put["RequestedProvisionedConcurrentExecutions"]) == (202, "IN_PROGRESS", 2)
    assert put["LastModified"].endswith("+0000")

    def config():
        return boto.get_provisioned_concurrency_config(**options)

    poll(lambda: config()["Status"] == "READY", 30, lambda: f"the pool is full: {config()}")
    ready = config()
    assert ready["AllocatedProvisionedConcurrentExecutions"] == ready["AvailableProvisionedConcurrentExecutions"] == 2
    environment = payload(boto.invoke(**options, Payload=b'{"do": "environment"}'))
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    listed = boto.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [entry["FunctionArn"] for entry in listed] == [f"{ACCOUNT}:{name}:current"]
    assert listed[0]["Status"] == "READY"
    refused(
        lambda: boto.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1), 409, "ResourceConflictException",
        "Version is pointed by a Provisioned Concurrency alias")
    refused(
        lambda: boto.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1), 400,
        "InvalidParameterValueException",
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
    assert status(boto.delete_provisioned_concurrency_config(**options)) == 204
    assert boto.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []
    boto.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    refused(
        lambda: boto.put_provisioned_concurrency_config(**options, ProvisionedConcurrentExecutions=1), 409,
        "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    assert status(boto.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")) == 204


def test_what_provisioned_concurrency_refuses(host, boto):
    def put(count, qualifier="current", name="limits"):
        return lambda: boto.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count)

    refused(
        put(1, "$LATEST"), 400, "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    for call in (boto.get_provisioned_concurrency_config, boto.delete_provisioned_concurrency_config):
        refused(
            lambda call=call: call(FunctionName="limits", Qualifier="$LATEST"), 400, "InvalidParameterValueException",
            "The function resource provided must be an alias or a published version.")
    refused(put(1, "nobody"), 404, "ResourceNotFoundException", f"Cannot find alias arn: {ACCOUNT}:limits:nobody")
    refused(put(1, "9"), 404, "ResourceNotFoundException", f"Function not found: {ACCOUNT}:limits:9")
    refused(put(1, "1", "missing"), 404, "ResourceNotFoundException", f"Function not found: {ACCOUNT}:missing:1")
    refused(
        put(901), 400, "InvalidParameterValueException",
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100].", has_type=False)
    refused(
        put(1001), 400, "InvalidParameterValueException",
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
        has_type=False)
    boto.put_function_concurrency(FunctionName="limits", ReservedConcurrentExecutions=3)
    refused(
        put(4), 400, "InvalidParameterValueException",
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    boto.delete_function_concurrency(FunctionName="limits")
    answer = request(
        host.host, "PUT", "/2019-09-30/functions/limits/provisioned-concurrency?Qualifier=current",
        '{"ProvisionedConcurrentExecutions": 0}')
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    assert json.loads(answer.body)["message"] == (
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1")


def test_a_pool_that_cannot_be_filled(boto):
    options = {"FunctionName": "broken", "Qualifier": "current"}
    boto.put_provisioned_concurrency_config(**options, ProvisionedConcurrentExecutions=1)

    def config():
        return boto.get_provisioned_concurrency_config(**options)

    poll(lambda: config()["Status"] == "FAILED", 30, lambda: f"the pool has failed: {config()}")
    assert config()["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    boto.delete_provisioned_concurrency_config(**options)


def test_a_provisioned_alias_moves_with_its_pool(boto):
    name, options = "versions", {"FunctionName": "versions", "Qualifier": "moving"}
    boto.update_function_configuration(FunctionName=name, MemorySize=320)
    boto.get_waiter("function_updated_v2").wait(FunctionName=name)
    target = boto.publish_version(FunctionName=name)["Version"]
    boto.create_alias(FunctionName=name, Name="moving", FunctionVersion="1")
    boto.put_provisioned_concurrency_config(**options, ProvisionedConcurrentExecutions=1)

    def config():
        return boto.get_provisioned_concurrency_config(**options)

    poll(lambda: config()["Status"] == "READY", 30, lambda: f"the pool is full: {config()}")
    refused(
        lambda: boto.update_alias(FunctionName=name, Name="moving", FunctionVersion="$LATEST"), 400,
        "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    boto.update_alias(FunctionName=name, Name="moving", FunctionVersion=target)
    poll(lambda: config()["Status"] == "READY", 30, lambda: f"the pool is full again: {config()}")
    answer = boto.invoke(**options, Payload=b'{"do": "environment"}')
    environment = payload(answer)
    assert answer["ExecutedVersion"] == environment["AWS_LAMBDA_FUNCTION_VERSION"] == target
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "320"
    boto.delete_alias(FunctionName=name, Name="moving")
    assert boto.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []


def test_account_settings(boto):
    settings = boto.get_account_settings()
    assert status(settings) == 200
    limit = settings["AccountLimit"]
    assert limit["ConcurrentExecutions"] == 1000
    assert limit["TotalCodeSize"] == 80530636800
    assert settings["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 66}
    boto.put_provisioned_concurrency_config(
        FunctionName="list00", Qualifier="current", ProvisionedConcurrentExecutions=1)
    after = boto.get_account_settings()["AccountLimit"]
    assert after["UnreservedConcurrentExecutions"] == limit["UnreservedConcurrentExecutions"] - 1
    boto.delete_provisioned_concurrency_config(FunctionName="list00", Qualifier="current")


# Invocations beside Invoke


def test_a_stream(boto):
    answer = boto.invoke_with_response_stream(
        FunctionName="reports", Qualifier="current", Payload=b'{"do": "large", "bytes": 3000000}', LogType="Tail")
    assert status(answer) == 200
    assert answer["ExecutedVersion"] == "1"
    events = list(answer["EventStream"])
    chunks = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    assert json.loads(b"".join(chunks)) == "x" * 3_000_000
    assert len(chunks) > 1 and len(events) == len(chunks) + 1
    complete = events[-1]["InvokeComplete"]
    assert b"REPORT RequestId:" in base64.b64decode(complete["LogResult"])
    assert "ErrorCode" not in complete


def test_a_stream_of_an_error(boto):
    answer = boto.invoke_with_response_stream(FunctionName="reports", Payload=b'{"do": "error"}')
    (event,) = answer["EventStream"]
    complete = event["InvokeComplete"]
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "there is nothing to report"


def test_what_streams_refuse(boto):
    answer = boto.invoke_with_response_stream(FunctionName="reports", InvocationType="DryRun")
    assert status(answer) == 204
    refused(
        lambda: boto.invoke_with_response_stream(FunctionName="missing"), 404, "ResourceNotFoundException",
        f"Function not found: {ACCOUNT}:missing:$LATEST")


def test_the_old_asynchronous_call(host, boto):
    before = host.metrics().total("lambda_invocations_total", function="reports")
    answer = request(host.host, "POST", "/2014-11-13/functions/reports/invoke-async/", b'{"do": "ok"}')
    assert (answer.status, answer.json()) == (202, {"Status": 202})
    poll(
        lambda: host.metrics().total("lambda_invocations_total", function="reports") == before + 1, 20,
        "the event ran")
    assert request(host.host, "POST", "/2014-11-13/functions/reports/invoke-async", b"{").status == 400


def test_invocation_types(host, boto):
    answer = request(
        host.host, "POST", "/2015-03-31/functions/reports/invocations", b"{}", {"X-Amz-Invocation-Type": "Later"})
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    assert answer.json()["message"] == (
        "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must "
        "satisfy enum value set: [Event, RequestResponse, DryRun]")
    assert status(boto.invoke(FunctionName="reports", Qualifier="current", InvocationType="DryRun")) == 204
    assert boto.invoke(FunctionName="reports:current", Payload=b"{}")["ExecutedVersion"] == "1"
    assert boto.invoke(FunctionName="reports", Payload=b"{}")["ExecutedVersion"] == "$LATEST"


# Asynchronous events


def test_how_events_are_repeated(host, boto):
    name = "reports"
    for call in (boto.get_function_event_invoke_config, boto.delete_function_event_invoke_config):
        refused(
            lambda call=call: call(FunctionName=name), 404, "ResourceNotFoundException",
            f"The function {ACCOUNT}:{name}:$LATEST doesn't have an EventInvokeConfig")
    put = boto.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert (status(put), put["MaximumRetryAttempts"]) == (200, 0)
    assert "MaximumEventAgeInSeconds" not in put
    assert put["FunctionArn"] == f"{ACCOUNT}:{name}:$LATEST"
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    updated = boto.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60)
    got = boto.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")
    assert got["LastModified"] == updated["LastModified"]
    boto.put_function_event_invoke_config(FunctionName=name, Qualifier="current", MaximumRetryAttempts=2)
    listed = boto.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    assert [entry["FunctionArn"] for entry in listed] == [f"{ACCOUNT}:{name}:$LATEST", f"{ACCOUNT}:{name}:current"]
    refused(
        lambda: boto.put_function_event_invoke_config(FunctionName=name, Qualifier="nobody", MaximumRetryAttempts=0),
        404, "ResourceNotFoundException", f"Cannot find alias arn: {ACCOUNT}:{name}:nobody")
    refused(
        lambda: boto.put_function_event_invoke_config(FunctionName=name), 400, "InvalidParameterValueException",
        "You must specify at least one of error handling or destination setting.")
    without_checks(boto, lambda: refused(
        lambda: boto.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=3), 400,
        "ValidationException", "1 validation error detected: Value '3' at 'maximumRetryAttempts' failed to satisfy "
        "constraint: Member must have value less than or equal to 2"))
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        boto.put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnFailure": {"Destination": f"{ACCOUNT}:other"}})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    arn = f"{ACCOUNT}:{name}"
    put = boto.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}, "OnFailure": {}})
    assert put["DestinationConfig"] == {"OnSuccess": {"Destination": arn}, "OnFailure": {}}
    updated = boto.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert updated["DestinationConfig"]["OnSuccess"] == {"Destination": arn}
    for qualifier in ("$LATEST", "current"):
        deleted = boto.delete_function_event_invoke_config(FunctionName=name, Qualifier=qualifier)
        assert status(deleted) == 204


# Function URLs


def test_function_urls(host, boto):
    config = boto.get_function_url_config(FunctionName="reports", Qualifier="current")
    assert config["FunctionUrl"] == f"http://{host.host}/url/reports/"
    assert (config["AuthType"], config["InvokeMode"]) == ("NONE", "BUFFERED")
    assert config["FunctionArn"] == f"{ACCOUNT}:reports:current"
    listed = boto.list_function_url_configs(FunctionName="reports")["FunctionUrlConfigs"]
    assert [entry["FunctionUrl"] for entry in listed] == [config["FunctionUrl"]]
    assert request(host.host, "GET", config["FunctionUrl"][len(f"http://{host.host}"):]).status == 200
    refused(
        lambda: boto.get_function_url_config(FunctionName="reports"), 404, "ResourceNotFoundException",
        "The resource you requested does not exist.")


# What the host does not have


def test_operations_that_the_host_has_not(boto):
    for name, arguments in (
        ("create_function", {"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/x", "Code": {"ZipFile": b"x"}}),
        ("delete_function", {"FunctionName": "reports"}),
        ("update_function_code", {"FunctionName": "reports", "ZipFile": b"x"}),
        ("create_function_url_config", {"FunctionName": "reports", "AuthType": "NONE"}),
        ("list_layers", {}),
        ("list_tags", {"Resource": f"{ACCOUNT}:reports"}),
        ("list_event_source_mappings", {}),
        ("get_policy", {"FunctionName": "reports"}),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            getattr(boto, name)(**arguments)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 501, name
        assert response["Error"]["Code"] == "NotImplementedException"
        operation = caught.value.operation_name
        assert operation in response["Error"]["Message"], response["Error"]["Message"]


@pytest.mark.parametrize(("method", "path", "part"), [
    ("GET", "/nothing", "GET /nothing"),
    ("PATCH", "/2015-03-31/functions/reports", "DELETE, GET"),
    ("GET", "/2015-03-31/functions/reports/invocations", "POST"),
    ("GET", "/2017-10-31/functions/reports/concurrency", "DELETE, PUT"),
])
def test_other_paths_and_methods(host, method, path, part):
    answer = request(host.host, method, path)
    assert answer.status == 501
    assert answer.headers["x-amzn-ErrorType"] == "NotImplementedException"
    document = answer.json()
    assert document["Type"] == "Service" and part in document["message"]


@pytest.mark.parametrize("path", [
    "/2015-03-31/functions/%zz/configuration", "/2015-03-31/functions/%ff", "/2015-03-31/functions?Marker=%f",
    "/2015-03-31/functions/f%20g", "/2015-03-31/functions/" + "x" * 300, "/2015-03-31/functions/a%00b",
])
def test_names_that_are_none(host, path):
    answer = request(host.host, "GET", path)
    assert answer.status == 400
    assert answer.headers["x-amzn-ErrorType"] in ("ValidationException", "InvalidParameterValueException")
    assert set(answer.json()) == {"Type", "message"}


# A restart


def test_changes_end_with_the_host(hosts, client):
    host = hosts({"f": python_function()}).start()
    boto = client(host)
    boto.update_function_configuration(FunctionName="f", MemorySize=512)
    boto.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=7)
    assert host.stop() == 0
    host.start()
    boto = client(host)
    assert boto.get_function_configuration(FunctionName="f")["MemorySize"] == 128
    assert "ReservedConcurrentExecutions" not in boto.get_function_concurrency(FunctionName="f")


# The command line of AWS


def aws(host, *arguments):
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_LAMBDA": f"http://{host.host}", "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": "",
        "AWS_CONFIG_FILE": str(host.folder / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(host.folder / "none"),
    }
    return subprocess.run(
        [sys.executable, "-m", "awscli", "lambda", *arguments], env=environment, cwd=host.folder, timeout=120,
        capture_output=True, text=True)


def test_the_command_line_of_aws(host):
    def done(*arguments):
        result = aws(host, *arguments)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) if result.stdout.strip() else None

    assert done("get-function-configuration", "--function-name", "list01")["Timeout"] >= 10
    assert done(
        "put-function-concurrency", "--function-name", "list01", "--reserved-concurrent-executions", "0",
    ) == {"ReservedConcurrentExecutions": 0}
    throttled = aws(host, "invoke", "--function-name", "list01", "out.json")
    assert throttled.returncode != 0
    assert "An error occurred (TooManyRequestsException) when calling the Invoke operation" in throttled.stderr
    assert "Rate Exceeded." in throttled.stderr
    assert done("delete-function-concurrency", "--function-name", "list01") is None
    assert done("invoke", "--function-name", "list01", "--payload", '{"do": "ok"}', "out.json")["StatusCode"] == 200
    assert json.loads((host.folder / "out.json").read_text())["did"] == "ok"
    assert done(
        "put-provisioned-concurrency-config", "--function-name", "list01", "--qualifier", "current",
        "--provisioned-concurrent-executions", "1",
    )["Status"] == "IN_PROGRESS"
    assert done("delete-provisioned-concurrency-config", "--function-name", "list01", "--qualifier", "current") is None
    assert len(done("list-functions")["Functions"]) == 66
