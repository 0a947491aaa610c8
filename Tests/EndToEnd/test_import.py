"""What `kelvin import` makes of files, folders and standard input, as a person calls it."""
import gzip
import json
import os
import pty
import subprocess

import pytest

STREAM = "2026/11/24/[$LATEST]0a0000000000000000000000000000{:02}"
REQUEST = "5e1f0000-0000-4000-8000-0000000000{:02}"


def event(number, second, message):
    return f"2026-11-24T10:00:{second:06.3f}000+00:00 {STREAM.format(number)} {message}\n"


def log(numbers):
    """An invocation of 2 s for each number, each in an instance of its own and half a second after the one before."""
    return "".join(
        event(number, number / 2, f"START RequestId: {REQUEST.format(number)} Version: $LATEST")
        + event(number, number / 2 + 1, "charged")
        + event(number, number / 2 + 2, f"END RequestId: {REQUEST.format(number)}")
        + event(number, number / 2 + 2, (
            f"REPORT RequestId: {REQUEST.format(number)}\tDuration: 1999.10 ms\tBilled Duration: 2000 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 60 MB"))
        for number in numbers)


@pytest.fixture
def run(kelvin, tmp_path):
    def run(*arguments, stdin=b""):
        result = subprocess.run(
            [kelvin, "import", *arguments], input=stdin, cwd=tmp_path, capture_output=True, timeout=60)
        return result.returncode, result.stdout.decode(), result.stderr.decode()
    return run


def test_a_log_on_standard_input_becomes_a_table_and_says_what_was_found(run):
    code, output, messages = run("--dry-run", "--function", "orders", "-", stdin=log(range(10, 20)).encode())
    assert code == 0
    rows = [line.split() for line in output.splitlines()]
    assert rows[0][:2] == ["Timestamp", "Invocations"]
    # Throttles and instances are not in logs: their cells are blank, not 0.
    assert rows[1][:5] == ["2026-11-24T10:00Z", "10", "0", "0", "0"]
    assert "standard input: recognised as aws logs tail" in messages
    assert "understood: 30 lines, the first 20 of them:" in messages
    assert "passed over: 10 lines:" in messages and "  standard input:2: charged" in messages
    assert "concurrency at most: 4" in messages and "exact to 1 ms" in messages


def test_the_halves_of_a_log_count_once_in_any_order(run, tmp_path):
    (tmp_path / "a.log").write_text(log(range(10, 15)))
    (tmp_path / "b.log").write_text(log(range(13, 20)))
    (tmp_path / "all.log").write_text(log(range(10, 20)))
    documents = []
    for files in [["all.log"], ["b.log", "a.log"], ["a.log", "b.log", "a.log"]]:
        code, output, _ = run("--dry-run", "--output", "json", "--function", "orders", *files)
        assert code == 0
        document = json.loads(output)
        documents.append({name: document[name] for name in document if name not in ("understood", "passedOver")})
    assert documents[0] == documents[1] == documents[2]
    assert documents[0]["invocations"] == 10 and documents[0]["concurrencyMax"] == 4
    assert documents[0]["functions"]["orders"]["concurrencyMax"] == 4
    window, = documents[0]["windows"]["windows"]
    assert window["invocations"] == 10 and window["throttles"] is None and window["instancesMax"] is None


def test_a_folder_is_an_export_to_s3(run, tmp_path):
    for number in (10, 11):
        folder = tmp_path / "exported" / "task" / STREAM.format(number).replace("/", "-")
        folder.mkdir(parents=True)
        lines = [line.split(" ", 2) for line in log([number]).splitlines(keepends=True)]
        (folder / "000000.gz").write_bytes(gzip.compress("".join(
            f"{time.replace('000+00:00', 'Z')} {message}" for time, _, message in lines).encode()))
    (tmp_path / "exported" / "aws-logs-write-test").write_text("Permission Check Successful")
    code, output, messages = run("--dry-run", "--output", "json", "exported")
    assert code == 0, messages
    document = json.loads(output)
    assert (document["invocations"], document["concurrencyMax"], document["functions"]) == (2, 2, {})
    assert "some lines do not name their function: give --function NAME" in messages


@pytest.mark.parametrize("arguments, code, words", [
    (["--dry-run", "--agent", "http://127.0.0.1:1", "log"], 64, "--dry-run needs no agent"),
    (["--dry-run"], 64, "Missing expected argument"),
    (["--dry-run", "none"], 1, "none cannot be read: No such file or directory."),
    (["--dry-run", "archive"], 1, "archive: not read: it is a ZIP archive, no log"),
    (["--dry-run", "--resolution", "1s", "long"], 64, "give a longer --resolution"),
])
def test_what_cannot_be_done_is_said(run, tmp_path, arguments, code, words):
    (tmp_path / "archive").write_bytes(b"PK\x03\x04" + bytes(600))
    (tmp_path / "log").write_text(log([10]))
    (tmp_path / "long").write_text(log([10]) + log([11]).replace("2026-11-24", "2026-11-25"))
    result = run(*arguments)
    assert result[0] == code and words in result[2]


def test_the_good_rest_of_several_files_is_kept(run, tmp_path):
    (tmp_path / "archive").write_bytes(b"PK\x03\x04" + bytes(600))
    (tmp_path / "log").write_text(log([10]))
    code, output, messages = run("--dry-run", "--output", "json", "archive", "log")
    assert code == 0 and json.loads(output)["invocations"] == 1
    assert "archive: not read" in messages


def test_a_file_that_is_missing_keeps_nothing_else_from_being_read(run, tmp_path):
    (tmp_path / "log").write_text(log([10]))
    code, output, messages = run("--dry-run", "--output", "json", "none", "log")
    assert code == 0 and json.loads(output)["invocations"] == 1
    assert "none cannot be read: No such file or directory." in messages


def test_links_in_a_folder_are_followed_to_files_and_named_to_folders(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "log").write_text(log([10]))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").symlink_to(tmp_path / "elsewhere" / "log")
    (folder / "around").symlink_to(tmp_path)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    code, output, messages = run("--dry-run", "--output", "json", "folder")
    assert code == 0 and json.loads(output)["invocations"] == 1
    assert "folder/around is a link to a folder, which is not followed" in messages
    assert "folder/broken cannot be read: No such file or directory." in messages


def test_a_file_of_which_nothing_is_known_says_what_can_be_read(run, tmp_path):
    (tmp_path / "odd").write_text("".join(
        f"@ said {line.split(' ', 2)[2]}\n" for line in log([10]).splitlines()))
    code, _, messages = run("--dry-run", "odd")
    assert code == 0
    assert "no line of the platform was recognised; kelvin import --help lists what can be read" in messages
    assert "odd: in 2 lines, lines of the platform stand behind something that is not known" in messages


def test_progress_is_shown_on_a_terminal_only(kelvin, tmp_path):
    (tmp_path / "log").write_text(log(range(10, 20)) * 20_000)
    own, other = pty.openpty()
    process = subprocess.Popen(
        [kelvin, "import", "--dry-run", "--output", "json", "log"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=other)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(own, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(60) == 0
    assert b"events/s" in shown and b"s left" in shown
