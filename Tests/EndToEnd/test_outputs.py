"""Standard input, output and error that are full, closed or gone: what was asked for is never lost without a word."""
import os
import signal
import subprocess

import pytest

from kelvin_host import poll, python_function, run

# All that the parser of the command line prints by itself, and a command's own result.
OUTPUTS = [
    ["--version"], ["--help"], ["help"], [], ["metrics"], ["metrics", "lambda", "--help"], ["help", "invoke"],
    ["--generate-completion-script", "bash"], ["--experimental-dump-help"], ["check-config", "kelvin.yaml"],
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kelvin.yaml").write_text("functions: {f: {command: [sh]}}\n")
    return tmp_path


def ended(kelvin, arguments, folder, redirection):
    """As a shell runs it: `>&-` closes, which subprocess cannot."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", str(kelvin), *arguments], cwd=folder, capture_output=True, text=True,
        check=False, timeout=60)


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_full_disk_is_said(kelvin, folder, arguments):
    result = ended(kelvin, arguments, folder, ">/dev/full")
    assert result.returncode == 1
    assert result.stderr == "kelvin: Standard output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_closed_output_is_said_in_its_own_words(kelvin, folder, arguments):
    result = ended(kelvin, arguments, folder, ">&-")
    assert result.returncode == 1
    assert result.stderr == "kelvin: Standard output cannot be written: Bad file descriptor.\n"


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_all_is_printed_otherwise(kelvin, folder, arguments):
    result = ended(kelvin, arguments, folder, "")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("\n") and result.stdout.strip()


def test_a_reader_that_went_away_is_no_failure(kelvin, folder):
    result = subprocess.run(
        ["sh", "-c", '{ "$0" --help; echo "$?" >&2; } | true', str(kelvin)], cwd=folder, capture_output=True, text=True,
        check=False, timeout=60)
    assert result.stderr.strip() in ("0", "141")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_wrong_command_line_ends_with_64_whatever_is_closed(kelvin, folder, redirection):
    assert ended(kelvin, ["nonsense"], folder, redirection).returncode == 64


def test_a_host_with_everything_closed_writes_into_none_of_its_files(kelvin, hosts, tmp_path):
    host = hosts({"reports": python_function()})
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" host <&- >&- 2>&-', str(kelvin)], cwd=host.folder, start_new_session=True)
    try:
        database = host.folder / "data" / "kelvin.db"
        poll(lambda: database.exists() and database.stat().st_size > 0, 20, "it is open")
        for number in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
        assert database.read_bytes().startswith(b"SQLite format 3")
    finally:
        process.terminate()
        # Gracefully, unless it did not take signals yet: nobody is told when.
        assert process.wait(20) in (0, -signal.SIGTERM)
