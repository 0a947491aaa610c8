"""The documents: links lead somewhere, the README is one page, every key of kelvin.yaml is described. Needs no server."""
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
# Packages that functions bring with them, where the examples were built.
PAGES = [page for page in PAGES if not {".build", ".venv", "node_modules"} & set(page.relative_to(REPOSITORY).parts)]


def prose(text):
    """A page without its blocks of code, whose lines are neither headings nor links."""
    kept, fence = [], None
    for line in text.splitlines():
        mark = re.match(r" *(```+|~~~+)", line)
        if fence is None and mark:
            fence = mark[1]
        elif fence is None:
            kept.append(line)
        elif mark and mark[1].startswith(fence) and line.strip() == mark[1]:
            fence = None
    return "\n".join(kept)


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found = []
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)? *$", prose(text), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other) is not None for other in found)
        found.append(f"{anchor}-{number}" if anchor in found else anchor)
    return found


def links(text):
    """The targets of a page's links and images, without those to other servers."""
    text = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "code", prose(text))
    targets = re.findall(r"\]\(<?([^)>\s]+)>?(?: +\"[^\"]*\")?\)", text)
    targets += re.findall(r"^\[[^\]]+\]: +(\S+)", text, re.MULTILINE)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def problems(page):
    """A sentence for each link of a page that leads nowhere."""
    for target in links(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if path.startswith("/") or not other.is_relative_to(REPOSITORY) or not other.exists():
            yield f"{target}: there is no such file"
        elif anchor and (other.suffix != ".md" or anchor not in anchors(other.read_text(encoding="utf-8"))):
            yield f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page):
    assert list(problems(page)) == []


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for target in links(page.read_text(encoding="utf-8")):
            waiting.append((page.parent / target.partition("#")[0]).resolve())
    assert sorted(str(page) for page in set(PAGES) - reached) == []


def test_the_readme_is_one_page():
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_page_about_the_configuration_has_every_key():
    sources = REPOSITORY / "Sources" / "Configuration"
    reader = (sources / "ConfigurationReader.swift").read_text(encoding="utf-8")
    functions = (sources / "ConfigurationReader+Functions.swift").read_text(encoding="utf-8")
    lists = {name: keys for name, keys in re.findall(r'name: "(agent|host)",\s+keys: \[(.*?)\]', reader, re.DOTALL)}
    lists["functions.NAME"] = re.search(r"static let keys = \[(.*?)\]", functions, re.DOTALL)[1]
    for section, file in [("queues", "QueueReader"), ("websockets", "WebSocketReader"), ("schedules", "ScheduleReader")]:
        text = (sources / f"{file}.swift").read_text(encoding="utf-8")
        lists[f"{section}.NAME"] = re.search(r'\bkeys(?: =|:) \[\s*("function".*?)\]', text, re.DOTALL)[1]
    wanted = {f"{section}.{key}" for section, keys in lists.items() for key in re.findall(r'"(\w+)"', keys)}
    assert len(lists) == 6 and len(wanted) > 50
    lines = (DOCS / "configuration.md").read_text(encoding="utf-8").splitlines()
    written = [key for line in lines if line.startswith("| `") for key in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    assert sorted(written) == sorted(wanted)


# What finds mistakes has to find them

PAGE = """# A page of `kelvin`: one, two

[here](#a-page-of-kelvin-one-two) and [there](other.md#again-1), not `[code](nowhere.md)` or [outside](https://kelvin.example/).

```sh
# No heading, and [no link](nowhere.md)
```
"""
OTHER = "# Again\n\n## [Again](page.md)\n"


@pytest.mark.parametrize(("change", "problem"), [
    (lambda text: text, None),
    (lambda text: text.replace("other.md", "others.md"), "others.md#again-1: there is no such file"),
    (lambda text: text.replace("#again-1", "#again-2"), "other.md#again-2: there is no such heading"),
    (lambda text: text.replace(": one, two", ""), "#a-page-of-kelvin-one-two: there is no such heading"),
    (lambda text: text + "![picture](picture.png)\n", "picture.png: there is no such file"),
    (lambda text: text + "[absolute](/other.md)\n", "/other.md: there is no such file"),
    (lambda text: text + "\n[name]: ../../away.md\n", "../../away.md: there is no such file"),
    (lambda text: text + "[a comment](#no-heading-and-no-link)\n", "#no-heading-and-no-link: there is no such heading"),
])
def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch, change, problem):
    monkeypatch.setattr(f"{__name__}.REPOSITORY", tmp_path)
    (tmp_path / "page.md").write_text(change(PAGE))
    (tmp_path / "other.md").write_text(OTHER)
    assert list(problems(tmp_path / "page.md")) == ([] if problem is None else [problem])
