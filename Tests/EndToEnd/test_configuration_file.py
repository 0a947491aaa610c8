"""What is no configuration at all: a pipe, a folder, a device, nothing."""
import os
import subprocess

from kelvin_host import run


def test_a_pipe_a_folder_a_device_and_nothing_are_no_configuration(kelvin, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    for name, word in [
            ("pipe", "pipe"), ("folder", "folder"), ("/dev/zero", "device"), ("/dev/null", "device"), ("empty", "empty")]:
        for command in (["check-config", name], ["agent", "--config", name], ["host", "--config", name]):
            result = run(kelvin, *command, cwd=tmp_path)
            assert (result.returncode, result.stdout) == (1, ""), (name, result)
            assert result.stderr.startswith(f"kelvin: {name} is ") and word in result.stderr, result.stderr
            assert len(result.stderr.splitlines()) == 1


def test_a_pipe_that_somebody_fills_is_a_configuration(kelvin, tmp_path):
    result = subprocess.run(
        ["bash", "-c", '"$0" check-config <(sleep 0.3; echo "functions: {f: {command: [sh]}}")', str(kelvin)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0 and result.stdout.endswith(": ok, 1 function\n"), result


def test_a_file_without_functions_is_for_an_agent_alone(kelvin, tmp_path):
    (tmp_path / "kelvin.yaml").write_text("# nothing yet\n")
    result = run(kelvin, "check-config", cwd=tmp_path)
    assert result.returncode == 0
    assert "no functions" in result.stdout and "kelvin agent" in result.stdout
    host = run(kelvin, "host", cwd=tmp_path)
    assert host.returncode == 64 and "has no functions" in host.stderr
