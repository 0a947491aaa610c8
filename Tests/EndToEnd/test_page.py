"""The page at `GET /`, as a person meets it in headless Chromium: what it shows equals what the API says."""
import json
import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from chromium import Browser
from kelvin_host import REPOSITORY, KelvinHost, poll, python_function, request

ARTEFACTS = REPOSITORY / ".test-artefacts"
HOSTILE = [
    "<img src=x onerror=alert(1)>", "\"><script>alert(1)</script>", "a&b=c#d?e%41", "javascript:alert(1)",
    "zwei\u202eslort", "'; DROP TABLE functions; --",
]
COUNTS = {
    "invocations": "invocations", "throttles": "throttles", "errors": "errors", "timeouts": "timeouts",
    "coldStarts": "coldStarts",
}


def at_once(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def host(hosts):
    """A host with a story: cold starts, throttles, an error, a 504 and a crash."""
    host = hosts({
        "orders": python_function(timeout="10s", reserved=2),
        "reports": python_function(timeout="1s", reserved=6),
    }).start()
    sleep = {"do": "sleep", "ms": 500}
    at_once(*[lambda: host.invoke("orders", sleep)] * 5, *[lambda: host.invoke("reports", sleep)] * 3)
    host.invoke("orders", {"do": "error"})
    host.invoke("reports", {"do": "sleep", "ms": 3000})
    host.invoke("reports", {"do": "exit"})
    return host


@pytest.fixture
def browser(host):
    """A browser whose page must have caused no error, broken no policy, and asked nobody but the agent."""
    with Browser() as browser:
        yield browser
        assert browser.problems == []
        own = (f"http://{host.agent}/", "data:", "about:")
        assert [url for url in browser.requests if not url.startswith(own)] == []


def open_page(browser, host, place=""):
    browser.open(f"http://{host.agent}/{place}")
    browser.wait_for("document.getElementById('state').textContent === 'Live'")


def text_of(browser, function, cell):
    row = f"[...document.querySelectorAll('#functions tbody tr')].find(r => r.cells[0].innerText === {json.dumps(function)})"
    return browser.evaluate(f"{row}?.querySelector('[data-cell={cell}]').innerText ?? null")


def tables(browser):
    """Of each chart: the values of each column of its table, by the start of the window."""
    return browser.evaluate("""Object.fromEntries([...document.querySelectorAll('figure')].map(figure => {
      const labels = [...figure.querySelectorAll('thead th')].slice(1).map(cell => cell.innerText);
      const rows = [...figure.querySelectorAll('tbody tr')].map(row => [
        row.querySelector('time').dateTime.replace('.000', ''),
        [...row.querySelectorAll('td')].map(cell => cell.querySelector('data')?.value ?? null)]);
      return [figure.id, {labels, rows}];
    }))""")


def assert_tables_equal_windows(shown, windows):
    """Every number in the tables against /api/v1/windows of the same resolution."""
    by_start = {window["start"]: window for window in windows}
    members = {
        ("chart-concurrency", "Executions"): lambda window: window["concurrencyMax"],
        ("chart-cold-starts", "Cold starts"): lambda window: window["coldStarts"],
        ("chart-cold-starts", "Initializations"): lambda window: window["initializations"],
        ("chart-invocations", "Invocations"): lambda window: window["invocations"],
        ("chart-invocations", "Errors"): lambda window: window["errors"],
        ("chart-durations", "p50"): lambda window: window["duration"].get("p50"),
        ("chart-durations", "p95"): lambda window: window["duration"].get("p95"),
        ("chart-durations", "max"): lambda window: window["duration"].get("max"),
        ("chart-instances-max", "Instances"): lambda window: window["instancesMax"],
        ("chart-starts", "Initialization"): lambda window: window["initialization"].get("max"),
    }
    compared = 0
    for chart, table in shown.items():
        for index, label in enumerate(table["labels"]):
            parts = {"chart-throttles": "throttlesByReason", "chart-timeouts": "timeoutsBySource"}.get(chart)
            read = (lambda window: window[parts].get(label, 0)) if parts else members.get((chart, label))
            if read is None:
                continue
            for start, values in table["rows"]:
                window = by_start.get(start)
                is_distribution = chart in ("chart-durations", "chart-starts")
                expected = read(window) if window else None if is_distribution else 0
                found = values[index]
                same = found is None if expected is None else found is not None and float(found) == float(expected)
                assert same, f"{chart}, {label}, {start}: {found} is shown, {expected} is meant"
                compared += 1
        starts = [start for start, _ in table["rows"]]
        assert starts == sorted(starts, reverse=True)
    assert compared > 100


def shown_as_in_windows(browser, host, function):
    """The tables, once they equal the windows; None while a new window has begun between the two."""
    seconds = browser.evaluate("""fetch(performance.getEntriesByType('resource').map(each => each.name)
      .findLast(name => name.includes('/api/v1/series') && name.includes('points'))).then(reply => reply.json())
      .then(answer => answer.resolution)""")
    windows = host.windows(function, range="10m", resolution=f"{seconds}s")
    shown = tables(browser)
    starts = {start for table in shown.values() if table["labels"] for start, _ in table["rows"]}
    if not {window["start"] for window in windows.list} <= starts:
        return None
    assert_tables_equal_windows(shown, windows.list)
    return shown


def test_the_list_shows_what_the_status_says(browser, host):
    open_page(browser, host, "?range=10m")
    browser.wait_for("document.querySelectorAll('#functions tbody svg').length === 2")
    status = request(host.agent, "GET", "/api/v1/status").json()
    assert len(status["functions"]) == 2
    for function in status["functions"]:
        name = function["function"]
        for cell, member in COUNTS.items():
            assert int(text_of(browser, name, cell).replace(",", "")) == function["totals"][member], (name, cell)
        assert int(text_of(browser, name, "instances")) == sum(function["instances"].values())
        most = host.windows(name, range="10m").largest("concurrencyMax")
        assert int(text_of(browser, name, "spark").split()[0]) == most
    assert "throttled" in text_of(browser, "orders", "spark")
    assert browser.text("#account").split("\n")[:2] == ["Functions", "2"]
    browser.screenshot(ARTEFACTS / "page-list.png")


def test_the_tables_of_a_function_show_what_the_windows_say(browser, host):
    for function in ("orders", "reports"):
        open_page(browser, host, f"?range=10m&function={function}")
        browser.wait_for("document.querySelectorAll('figure').length === 8")
        browser.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        browser.wait_for("document.querySelectorAll('figure tbody tr').length > 8 * 50")
        browser.wait_for("document.querySelectorAll('.plot canvas').length >= 8", what="charts are drawn")
        shown = poll(lambda: shown_as_in_windows(browser, host, function), 30, "tables and windows agree")
        assert browser.text("#detail-title") == function
        browser.screenshot(ARTEFACTS / f"page-{function}.png")
    assert shown["chart-timeouts"]["labels"] == ["platform"]
    assert "504s\n1\n" in browser.text("#facts") + "\n"


def test_limits_are_lines_and_said(browser, host):
    open_page(browser, host, "?range=10m&function=orders")
    browser.wait_for("document.querySelector('#chart-concurrency .note')?.textContent.includes('Reserved 2.')")
    assert browser.text("#chart-concurrency .legend .limit") == "Reserved"
    assert "ReservedFunctionConcurrentInvocationLimitExceeded" in browser.text("#chart-throttles .legend")


def test_the_caption_tells_the_peak_of_executions(browser, host):
    """Not that of claimed concurrency, which has reserves in it that nobody used."""
    open_page(browser, host, "?range=10m")
    browser.wait_for("document.querySelector('#chart-concurrency .note')?.textContent.startsWith('Most ')")
    peak = poll(
        lambda: host.windows(range="10m").largest("concurrencyMax"), 10, "there were executions")
    note = browser.text("#chart-concurrency .note")
    assert note.startswith(f"Most {peak} (Executions), "), note
    claimed = host.windows(range="10m").largest("claimedConcurrencyMax")
    assert claimed > peak, "the reserve of reports makes the difference"
    assert f"{claimed} (Claimed)" in note
    # Parts of one number add up to it.
    throttles = max(window["throttles"] for window in host.windows("orders", range="10m", resolution="10m").list)
    open_page(browser, host, "?range=10m&function=orders")
    browser.wait_for("document.querySelector('#chart-throttles .note')?.textContent.startsWith('Most ')")
    assert 0 < int(browser.text("#chart-throttles .note").split()[1].rstrip(".")) <= throttles


def test_every_control_has_a_name(browser, host):
    for query in ("", "?range=10m&function=orders"):
        open_page(browser, host, query)
        browser.wait_for("document.querySelectorAll('figure').length === 8")
        browser.wait_for("document.querySelectorAll('.plot canvas').length >= 8")
        nameless = browser.evaluate("""[...document.querySelectorAll('input, select, textarea, button, summary, a[href]')]
          .filter(each => !(each.ariaLabel || [...(each.labels ?? [])].map(label => label.innerText).join('').trim()
            || !each.matches('input, select, textarea') && each.textContent.trim()))
          .map(each => each.outerHTML)""")
        assert nameless == []


def test_an_instance_appears_works_and_goes(browser, host):
    open_page(browser, host, "?function=reports")
    sleeping = threading.Thread(target=host.invoke, args=("reports", {"do": "sleep", "ms": 900}))
    sleeping.start()
    browser.wait_for("document.querySelector('#instances tr[data-state=busy]') !== null")
    sleeping.join()
    instance = browser.wait_for("document.querySelector('#instances tr[data-state=idle]')?.dataset.instance")
    alive = request(host.agent, "GET", "/api/v1/instances").json()["instances"]
    assert instance in {each["instance"] for each in alive if each["function"] == "reports"}
    # All of them, whichever instance takes it.
    while any(each["function"] == "reports" for each in
              request(host.agent, "GET", "/api/v1/instances").json()["instances"]):
        host.invoke("reports", {"do": "exit"})
    row = f"document.querySelector('#instances tr[data-instance=\"{instance}\"]')"
    browser.wait_for(f"{row} === null || {row}.dataset.state === 'stopped'")
    browser.wait_for(f"{row} === null", 15)


def test_numbers_change_without_a_reload(browser, host):
    open_page(browser, host)
    browser.wait_for("document.querySelectorAll('#functions tbody tr').length === 2")
    before = int(text_of(browser, "orders", "invocations"))
    assert host.invoke("orders", {}).status == 200
    poll(lambda: int(text_of(browser, "orders", "invocations")) == before + 1, 10, "the count goes up")


def test_dark_and_light(browser, host):
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.prefer("dark")
    open_page(browser, host, "?function=orders")
    assert browser.evaluate(ground) == "rgb(20, 23, 28)"
    browser.wait_for("document.querySelectorAll('.plot canvas').length >= 8")
    browser.screenshot(ARTEFACTS / "page-dark.png")
    browser.prefer("light")
    browser.wait_for(f"{ground} === 'rgb(255, 255, 255)'")
    choose = "document.getElementById('theme').value = '{}'; document.getElementById('theme').dispatchEvent(new Event('change'))"
    browser.evaluate(choose.format("dark"))
    assert browser.evaluate(ground) == "rgb(20, 23, 28)"
    open_page(browser, host)
    assert browser.evaluate(ground) == "rgb(20, 23, 28)", "what was chosen is kept"
    browser.evaluate(choose.format("light"))
    browser.prefer("dark")
    assert browser.evaluate(ground) == "rgb(255, 255, 255)"


def test_everything_is_reached_with_the_keyboard(browser, host):
    open_page(browser, host)
    browser.wait_for("document.querySelectorAll('#functions tbody tr').length === 2")
    browser.wait_for("document.querySelectorAll('figure').length === 8")
    reached = []
    for _ in range(80):
        browser.press("Tab")
        reached.append(browser.evaluate("""(() => {
          const element = document.activeElement;
          if (element === document.body) return null;
          const box = element.getBoundingClientRect();
          return [element.tagName, element.innerText || element.ariaLabel || element.labels?.[0]?.innerText || '',
            box.width > 0 && box.height > 0];
        })()"""))
        if reached[-1] is None or reached.count(reached[0]) > 1:
            break
    reached = [each for each in reached if each]
    assert reached[0][1] == "Skip to the content"
    assert all(name.strip() and is_visible for _, name, is_visible in reached), reached
    names = [name.strip() for _, name, _ in reached]
    for name in ("1h", "30d", "Function", "Throttled", "orders", "reports", "Table"):
        assert name in names, names
    order = [names.index(name) for name in ("1h", "Function", "orders", "reports", "Table")]
    assert order == sorted(order)
    # Enter on a function goes there, and the focus is on its heading; back brings the list again.
    browser.evaluate("[...document.querySelectorAll('#functions a')].find(a => a.innerText === 'orders').focus()")
    browser.press("Enter", text="\r")
    browser.wait_for("document.activeElement.id === 'detail-title' && document.title === 'orders – Kelvin'")
    browser.evaluate("history.back()")
    browser.wait_for("!document.getElementById('overview').hidden && document.title === 'Kelvin'")


def test_a_screen_reader_finds_its_way(browser, host):
    open_page(browser, host, "?function=orders")
    browser.wait_for("document.querySelectorAll('figure').length === 8")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
    for role in ("banner", "main", "navigation", "contentinfo", "status", "heading", "table", "figure"):
        assert role in roles, role
    assert roles.count("figure") == 8
    named = {node["role"]["value"]: node.get("name", {}).get("value", "") for node in nodes if not node.get("ignored")}
    assert named["navigation"] and named["figure"]
    assert browser.evaluate("document.querySelectorAll('[aria-live], [role=status], [role=alert]').length") == 2


def test_the_list_is_searched_sorted_and_linked(browser, host):
    open_page(browser, host)
    browser.wait_for("document.querySelectorAll('#functions tbody tr').length === 2")
    browser.evaluate("document.getElementById('search-text').focus()")
    browser.type("REP")
    browser.wait_for("document.querySelectorAll('#functions tbody tr').length === 1")
    assert browser.text("#found") == "1 of 2 functions"
    assert browser.evaluate("location.search") == "?search=REP"
    open_page(browser, host, "?sort=throttles")
    browser.wait_for("document.querySelectorAll('#functions tbody tr').length === 2")
    names = browser.evaluate("[...document.querySelectorAll('#functions tbody th')].map(each => each.innerText)")
    assert names == ["orders", "reports"]
    sorted_by = "document.querySelector('th[aria-sort]')"
    assert browser.evaluate(f"[{sorted_by}.innerText.trim(), {sorted_by}.ariaSort]") == ["Throttled", "descending"]


def test_a_function_that_nobody_saw_is_said(host):
    with Browser() as browser:
        browser.open(f"http://{host.agent}/?function=nobody")
        browser.wait_for("document.getElementById('problem').innerText.includes('no function named nobody')")


def test_a_function_that_is_gone_or_cannot_start_is_marked(kelvin, tmp_path):
    functions = {"broken": {"command": ["sh", "-c", "echo no such module >&2; exit 3"]}, "removed": python_function()}
    with KelvinHost(kelvin, tmp_path / "host", functions) as host:
        assert host.invoke("removed", {}).status == 200
    configuration = json.loads((host.folder / "kelvin.yaml").read_text())
    del configuration["functions"]["removed"]
    (host.folder / "kelvin.yaml").write_text(json.dumps(configuration))
    with host, Browser() as browser:
        host.invoke("broken", {})
        open_page(browser, host)
        rows = "[...document.querySelectorAll('#functions tbody th')].map(each => each.innerText)"
        browser.wait_for(f"{rows}.join() === 'broken cannot start,removed (gone)'")
        open_page(browser, host, "?function=broken")
        browser.wait_for("document.getElementById('condition-lines').innerText.includes('no such module')")
        assert browser.text("#condition-text") == "It cannot start: Runtime exited with error: exit status 3"
        open_page(browser, host, "?function=removed")
        browser.wait_for("document.getElementById('condition-text').innerText.startsWith('No longer in kelvin.yaml')")
        assert browser.problems == []


def test_the_policy_holds(host):
    with Browser() as browser:
        open_page(browser, host)
        directive = browser.evaluate("""new Promise(resolve => {
          addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective));
          document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:1/x.png'}));
        })""")
        assert directive == "img-src"


def test_without_the_library_tables_remain(kelvin, tmp_path, monkeypatch):
    monkeypatch.setenv("KELVIN_DYGRAPHS", str(tmp_path / "nowhere"))
    with KelvinHost(kelvin, tmp_path / "host", {"reports": python_function()}) as host, Browser() as browser:
        assert host.invoke("reports", {}).status == 200
        open_page(browser, host, "?range=10m&function=reports")
        assert "apt install libjs-dygraphs" in browser.text("#no-charts")
        browser.wait_for("document.querySelectorAll('figure details[open] tbody tr').length > 8 * 50")
        assert browser.evaluate("document.querySelectorAll('canvas').length") == 0
        invocations = [float(value) for _, (value, *_) in tables(browser)["chart-invocations"]["rows"]]
        assert sum(invocations) == 1
        browser.screenshot(ARTEFACTS / "page-without-charts.png")
        assert browser.problems == []


def test_hostile_names_are_only_text(kelvin, tmp_path):
    """Names that no host would take, as a store could hold them."""
    names = dict(zip(["f0", "f1", "f2", "f3", "f4", "f5"], HOSTILE))
    with KelvinHost(kelvin, tmp_path / "host", {name: python_function() for name in names}) as host:
        for name in names:
            assert host.invoke(name, {}).status == 200
    store = sqlite3.connect(Path(host.folder) / "data" / "kelvin.db")
    with store:
        for name, hostile in names.items():
            store.execute("UPDATE functions SET name = ? WHERE name = ?", (hostile, name))
        # What was in progress names its functions, too, and has ended.
        store.execute("DELETE FROM live")
    store.close()
    with KelvinHost(kelvin, tmp_path / "host", {}, command="agent") as agent, Browser() as browser:
        open_page(browser, agent, "?range=10m")
        browser.wait_for("document.querySelectorAll('#functions tbody svg').length >= 6")
        shown = browser.evaluate("[...document.querySelectorAll('#functions tbody a')].map(each => each.textContent)")
        assert set(HOSTILE) <= {name.removesuffix(":1").removesuffix(":$LATEST") for name in shown}
        assert browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
        for name in shown:
            open_page(browser, agent, f"?range=10m&function={quote(name)}")
            browser.wait_for(f"document.getElementById('detail-title').textContent === {json.dumps(name)}")
            browser.wait_for("document.querySelectorAll('figure').length === 8")
        browser.screenshot(ARTEFACTS / "page-hostile.png")
        assert browser.problems == []
        assert all(url.startswith((f"http://{agent.agent}/", "data:", "about:")) for url in browser.requests)
