"""Man pages and completions: generated, installed, and read by the programs that read them."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from kelvin_host import REPOSITORY, python_function
from moto_server import environment

PAGES = ["kelvin", "kelvin-init", "kelvin-host", "kelvin-agent", "kelvin-metrics", "kelvin-metrics-lambda", "kelvin-top", "kelvin-status",
         "kelvin-reserved", "kelvin-provisioned", "kelvin-invoke", "kelvin-logs", "kelvin-check-config"]


def run(*command, check=True, **options):
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **options)
    assert not check or result.returncode == 0, (command, result.returncode, result.stdout, result.stderr)
    return result


@pytest.fixture(scope="module")
def installed(kelvin, tmp_path_factory):
    """A folder into which everything is installed."""
    prefix = tmp_path_factory.mktemp("prefix") / "usr"
    said = run(REPOSITORY / "scripts" / "install", prefix,
               env={**os.environ, "KELVIN_BUILD": str(kelvin.parent), "SOURCE_DATE_EPOCH": "1764028800"})
    assert said.stdout.startswith(f"Installed in {prefix}: ")
    return prefix


@pytest.fixture(scope="module")
def pages(installed):
    return {path.stem: path for path in (installed / "share" / "man" / "man1").iterdir()}


def manual(page):
    """As a person reads it, without what makes it bold."""
    return re.sub(r".\x08", "", run("mandoc", "-T", "utf8", "-O", "width=100", page).stdout)


def test_what_is_installed_works(installed):
    assert run(installed / "bin" / "kelvin", "--version").stdout.strip()
    assert os.access(installed / "bin" / "kelvin-launcher", os.X_OK)


def test_there_is_a_page_for_every_command(pages):
    assert set(PAGES) <= set(pages)


def test_mandoc_finds_nothing_wrong(pages):
    result = run("mandoc", "-T", "lint", "-W", "warning", *pages.values(), check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_mandoc_would_find_something(pages, tmp_path):
    wrong = tmp_path / "wrong.1"
    wrong.write_text(pages["kelvin-top"].read_text().replace(".Sh DESCRIPTION", ".Sh DESCRIPTION\n.Bogus x"))
    assert run("mandoc", "-T", "lint", "-W", "warning", wrong, check=False).returncode != 0


def test_a_page_says_what_the_help_says(pages, kelvin):
    text = manual(pages["kelvin-metrics-lambda"])
    assert text.startswith("KELVIN-METRICS-LAMBDA(1)")
    assert "November 25, 2025" in text
    for said in ("--function function", "-o, --output output", "kelvin metrics lambda --function orders --watch",
                 "One of: table, json, csv, prometheus.", "KELVIN_AGENT", "Agent or host does not answer."):
        assert said in " ".join(text.split()), said
    for name, page in pages.items():
        options = set(re.findall(r"--[a-z][a-z-]+", run(kelvin, *name.split("-")[1:2], "--help").stdout)) \
            if name in ("kelvin-top", "kelvin-status", "kelvin-logs") else set()
        assert options <= set(re.findall(r"--[a-z][a-z-]+", manual(page)))


def test_the_same_program_gives_the_same_pages(installed, kelvin, tmp_path):
    run(REPOSITORY / "scripts" / "generate-manual", "--kelvin", kelvin, tmp_path,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1764028800"})
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) >= len(PAGES) + 3
    for path in made:
        assert path.read_bytes() == (installed / path.relative_to(tmp_path)).read_bytes()


BASH = r"""
complete_line() {
  COMP_LINE="$1"
  read -ra COMP_WORDS <<<"$COMP_LINE"
  [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMP_POINT=${#COMP_LINE}
  COMP_TYPE=9
  COMPREPLY=()
  local before=""
  [ "$COMP_CWORD" -gt 0 ] && before="${COMP_WORDS[COMP_CWORD - 1]}"
  "$FUNCTION" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "$before"
  printf '%s\n' "${COMPREPLY[@]}"
}
source "$1"
FUNCTION="$(complete -p kelvin | sed -n 's/.* -F \([^ ]*\) .*/\1/p')"
complete_line "$2"
"""


def completed(installed, line, shell_environment):
    """What bash offers for a line."""
    result = run(
        "bash", "--norc", "-c", BASH, "bash", installed / "share" / "bash-completion" / "completions" / "kelvin", line,
        env=shell_environment)
    assert result.stderr == ""
    return {word.strip() for word in result.stdout.split("\n") if word.strip()}


@pytest.fixture(scope="module")
def shell_environment(installed):
    return environment(PATH=f"{installed / 'bin'}:{os.environ['PATH']}", KELVIN_AGENT="127.0.0.1:1", TERM="dumb")


@pytest.mark.parametrize("line, expected", [
    ("kelvin met", {"metrics"}), ("kelvin metrics la", {"lambda"}), ("kelvin metrics lambda --wa", {"--watch"}),
    ("kelvin metrics lambda --output p", {"prometheus"}), ("kelvin t", {"top"}), ("kelvin top --on", {"--once"}),
    ("kelvin top --function ", set()),
])
def test_bash_completes(installed, shell_environment, line, expected):
    assert completed(installed, line, shell_environment) == expected


def test_bash_completes_the_names_of_functions(hosts, installed, shell_environment, tmp_path):
    host = hosts({"orders": python_function(), "order-mails": python_function(), "reports": python_function()}).start()
    asked = {**shell_environment, "KELVIN_AGENT": host.agent}
    assert completed(installed, "kelvin top --function ord", asked) == {"orders", "order-mails"}
    assert completed(installed, "kelvin invoke re", asked) == {"reports"}
    # The line's own agent wins.
    line = f"kelvin metrics lambda --agent {host.agent} --function rep"
    assert completed(installed, line.replace(":", r"\:"), shell_environment) <= {"reports"}


@pytest.mark.parametrize("shell, path", [
    ("zsh", "share/zsh/site-functions/_kelvin"), ("fish", "share/fish/vendor_completions.d/kelvin.fish"),
    ("bash", "share/bash-completion/completions/kelvin"),
])
def test_the_shells_can_read_their_completions(installed, shell, path):
    assert run(shell, "-n", installed / path).stderr == ""
    text = Path(installed / path).read_text()
    for word in ("metrics", "--watch", "provisioned", "---completion"):
        assert word.strip("-") in text


def test_fish_completes(hosts, installed, shell_environment, tmp_path):
    script = installed / "share" / "fish" / "vendor_completions.d" / "kelvin.fish"
    asked = {**shell_environment, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    result = run("fish", "--no-config", "-c", f'source {script}; complete --do-complete "kelvin met"', env=asked)
    assert result.stdout.split("\t")[0] == "metrics"
