"use strict";
// The page of a Kelvin agent. Names come from outside: they are only ever text, never markup.
(() => {
  const RANGES = ["1h", "12h", "3d", "7d", "30d"];
  const PAGE_SIZE = 25;
  const GONE_SHOWN_MS = 5000;
  const GONE_MEANS = "No longer in kelvin.yaml; Kelvin keeps its counts as long as its windows.";
  const LIST_COLUMNS = "concurrencyMax,throttles";
  // What each chart draws: columns of /api/v1/series with their labels, or one column of parts.
  const CHARTS = [
    { id: "concurrency", title: "Concurrency (max)", limits: true, columns: {
      concurrencyMax: "Executions", provisionedConcurrencyMax: "On provisioned concurrency",
      unreservedConcurrencyMax: "On the unreserved pool", claimedConcurrencyMax: "Claimed" } },
    { id: "throttles", title: "Throttles by reason", parts: "throttlesByReason" },
    { id: "cold-starts", title: "Cold starts", columns: {
      coldStarts: "Cold starts", initializations: "Initializations", spillover: "Spillover" } },
    { id: "durations", title: "Duration", format: "seconds", columns: {
      durationP50: "p50", durationP95: "p95", durationMax: "max" } },
    { id: "timeouts", title: "504s by source", parts: "timeoutsBySource" },
    { id: "invocations", title: "Invocations", columns: { invocations: "Invocations", errors: "Errors" } },
    { id: "starts", title: "Initialization and warm-up (max)", format: "seconds", columns: {
      initializationMax: "Initialization", warmupMax: "Warm-up" } },
    { id: "instances-max", title: "Instances (max)", columns: {
      instancesMax: "Instances", overlappingMax: "Overlapping executions" } },
  ];
  const COLUMNS = CHARTS.flatMap((chart) => (chart.parts ? [chart.parts] : Object.keys(chart.columns)));

  const byId = (id) => document.getElementById(id);
  const hasCharts = () => typeof window.Dygraph === "function";
  const pad = (number) => String(number).padStart(2, "0");

  /** Makes an element; children are elements or text. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // Numbers for people, and exact ones beside them.
  const number = (value) => value.toLocaleString("en");
  function seconds(value) {
    if (value >= 86400) return `${(value / 86400).toFixed(1)} d`;
    if (value >= 3600) return `${(value / 3600).toFixed(1)} h`;
    if (value >= 120) return `${(value / 60).toFixed(1)} min`;
    if (value >= 1) return `${Number(value.toPrecision(3))} s`;
    if (value >= 0.001) return `${Number((value * 1000).toPrecision(3))} ms`;
    return value === 0 ? "0" : `${Number((value * 1e6).toPrecision(3))} µs`;
  }
  function bytes(value) {
    return value >= 1 << 30 ? `${Number((value / (1 << 30)).toFixed(2))} GB` : `${Math.round(value / (1 << 20))} MB`;
  }
  const formatted = (chart, value) => (chart.format === "seconds" ? seconds(value) : number(value));
  function clock(ms, resolution) {
    const time = new Date(ms);
    const date = `${time.getUTCFullYear()}-${pad(time.getUTCMonth() + 1)}-${pad(time.getUTCDate())}`;
    const minutes = `${pad(time.getUTCHours())}:${pad(time.getUTCMinutes())}`;
    return `${date} ${minutes}${resolution < 60 ? ":" + pad(time.getUTCSeconds()) : ""}`;
  }

  // Where the page is: all of it is in the address, so that links, history and reloading work.
  function readPlace() {
    const query = new URLSearchParams(location.search);
    return {
      function: query.get("function"), range: query.get("range") || "1h", search: query.get("search") || "",
      sort: query.get("sort") || "name", offset: Math.max(0, parseInt(query.get("offset"), 10) || 0),
    };
  }
  function address(change) {
    const to = { ...place, ...change };
    const query = new URLSearchParams();
    if (to.function !== null) query.set("function", to.function);
    if (to.range !== "1h") query.set("range", to.range);
    if (to.function === null) {
      if (to.search) query.set("search", to.search);
      if (to.sort !== "name") query.set("sort", to.sort);
      if (to.offset) query.set("offset", to.offset);
    }
    const text = query.toString();
    return text ? `/?${text}` : "/";
  }
  // As the API's parameters name a function; a name with a colon needs its version.
  function keyOf({ function: name, version }) {
    if (version) return `${name}:${version}`;
    return name.includes(":") ? `${name}:$LATEST` : name;
  }

  let place = readPlace();
  /** Raised by every step to another place: answers to questions of the place before are dropped. */
  let visit = 0;
  let listed = [];
  let listTotal = null;
  let shownFunction = null;
  let account = null;
  let refreshTimer = null;
  let clockOffset = 0;
  const charts = new Map();
  const instances = new Map();

  async function ask(path) {
    const reply = await fetch(path, { headers: { Accept: "application/json" } });
    const answer = await reply.json().catch(() => null);
    if (!reply.ok) throw new Error(answer?.error?.message || `the agent answered ${reply.status}`);
    return answer;
  }

  function tell(problem) {
    const element = byId("problem");
    element.hidden = problem === null;
    setText(element, problem === null ? "" : problem);
  }

  /** Runs what asks the agent; a problem is shown unless the page has moved on. */
  async function asking(work) {
    const started = visit;
    try {
      await work(() => started === visit);
      if (started === visit) tell(null);
    } catch (problem) {
      if (started === visit) {
        tell(problem instanceof TypeError ? "The agent does not answer. Is it running?" : `${problem.message}.`);
      }
    }
  }

  // The list of functions.
  async function loadList(isCurrent) {
    const query = new URLSearchParams({ sort: place.sort, limit: PAGE_SIZE, offset: place.offset });
    if (place.search) query.set("search", place.search);
    const answer = await ask(`/api/v1/functions?${query}`);
    if (!isCurrent()) return;
    if (answer.functions.length === 0 && place.offset > 0 && answer.matching > 0) {
      go(address({ offset: 0 }), true);
      return;
    }
    listTotal = answer.total;
    const keys = answer.functions.map(keyOf);
    if (keys.join("\n") !== listed.map((row) => row.key).join("\n")) {
      listed = answer.functions.map((one) => makeRow(one));
      byId("functions").tBodies[0].replaceChildren(...listed.map((row) => row.element));
      followLive();
    }
    answer.functions.forEach((one, index) => updateRow(listed[index], one));
    describeList(answer);
    await loadSparks(isCurrent);
  }

  function describeList(answer) {
    const found = place.search ? `${number(answer.matching)} of ${number(answer.total)} functions` : "";
    setText(byId("found"), answer.total === 0 ? "The agent has seen no function yet; kelvin host runs functions." : found);
    const last = answer.offset + answer.functions.length;
    byId("pager").hidden = answer.matching <= PAGE_SIZE;
    setText(byId("shown"), `${number(answer.offset + 1)} to ${number(last)} of ${number(answer.matching)}`);
    byId("previous").disabled = answer.offset === 0;
    byId("next").disabled = last >= answer.matching;
    for (const button of sortButtons()) {
      const isSorted = button.dataset.sort === place.sort;
      const header = button.parentElement;
      if (!isSorted) header.removeAttribute("aria-sort");
      else header.setAttribute("aria-sort", place.sort === "name" ? "ascending" : "descending");
    }
  }
  const sortButtons = () => byId("functions").querySelectorAll("button[data-sort]");

  function makeRow(one) {
    const key = keyOf(one);
    const link = make("a", { href: address({ function: key }) }, key);
    const cells = {};
    const names = ["concurrentExecutions", "instances", "invocations", "throttles", "errors", "timeouts", "coldStarts"];
    for (const name of names) cells[name] = make("td", { class: "number", "data-cell": name });
    const spark = make("td", { "data-cell": "spark" });
    const condition = make("span", { class: "condition" });
    const element = make("tr", {}, make("th", { scope: "row" }, link, condition), spark, ...Object.values(cells));
    return { key, link, condition, element, cells, spark };
  }

  function updateRow(row, one) {
    const { initializing, idle, busy } = one.instances;
    setText(row.condition, one.gone ? " (gone)" : one.startFailure ? " cannot start" : "");
    row.condition.classList.toggle("alarm", !one.gone && Boolean(one.startFailure));
    row.condition.title = one.gone ? GONE_MEANS : one.startFailure?.reason ?? "";
    row.element.classList.toggle("gone", Boolean(one.gone));
    setText(row.cells.concurrentExecutions, number(one.concurrentExecutions));
    setText(row.cells.instances, number(initializing + idle + busy));
    row.cells.instances.title = `${initializing} initializing, ${idle} idle, ${busy} busy`;
    for (const name of ["invocations", "throttles", "errors", "timeouts", "coldStarts"]) {
      setText(row.cells[name], number(one.totals[name]));
      if (name !== "invocations" && name !== "coldStarts") {
        row.cells[name].classList.toggle("alarm", one.totals[name] > 0);
      }
    }
  }

  async function loadSparks(isCurrent) {
    if (listed.length === 0) return;
    const query = new URLSearchParams({ range: place.range, points: 72, columns: LIST_COLUMNS });
    for (const row of listed) query.append("function", row.key);
    const answer = await ask(`/api/v1/series?${query}`);
    if (!isCurrent()) return;
    const rows = new Map(listed.map((row) => [row.key, row]));
    for (const series of answer.series) {
      const row = rows.get(keyOf(series));
      if (row) row.spark.replaceChildren(...spark(series.columns));
    }
    refreshLater(answer.resolution);
  }

  /** A line of maxima, with a mark below each window that had throttles. */
  function spark({ concurrencyMax, throttles }) {
    const most = concurrencyMax.reduce((left, right) => Math.max(left, right), 0);
    const refused = throttles.reduce((left, right) => left + right, 0);
    const space = "http://www.w3.org/2000/svg";
    const image = document.createElementNS(space, "svg");
    image.setAttribute("class", "spark");
    image.setAttribute("viewBox", `0 0 ${concurrencyMax.length} 24`);
    image.setAttribute("preserveAspectRatio", "none");
    image.setAttribute("aria-hidden", "true");
    const height = (value) => 20 - (most > 0 ? (18 * value) / most : 0);
    const line = concurrencyMax.map((value, index) => `${index ? "L" : "M"}${index} ${height(value)}H${index + 1}`);
    const marks = throttles.map((value, index) => (value > 0 ? `M${index} 23H${index + 1}` : "")).join("");
    for (const [name, path] of [["line", line.join("")], ["throttled", marks]]) {
      const element = document.createElementNS(space, "path");
      element.setAttribute("class", name);
      element.setAttribute("d", path);
      image.append(element);
    }
    const text = make("data", { value: most }, number(most));
    return refused > 0 ? [image, text, make("span", { class: "alarm" }, ` ${number(refused)} throttled`)] : [image, text];
  }

  // Charts, and the table beside each.
  async function loadCharts(isCurrent) {
    const home = byId(place.function === null ? "account-charts" : "charts");
    const width = home.clientWidth || 800;
    const points = Math.min(300, Math.max(60, Math.floor(width / 6)));
    const query = new URLSearchParams({ range: place.range, points, columns: COLUMNS.join(",") });
    if (place.function !== null) query.set("function", place.function);
    const answer = await ask(`/api/v1/series?${query}`);
    if (!isCurrent()) return;
    const found = CHARTS.map((chart) => [chart, linesOf(chart, answer.series[0].columns)]);
    const shown = found.filter(([, lines]) => lines !== null);
    // All have their places before the first is drawn, so that each is drawn in its size.
    for (const [chart, lines] of shown) {
      if (!charts.has(chart.id)) charts.set(chart.id, makeChart(chart, home));
      Object.assign(charts.get(chart.id), { answer, lines });
    }
    for (const [chart] of shown) redraw(charts.get(chart.id));
    refreshLater(answer.resolution);
  }

  /** The lines of a chart: label and values; nothing if the answer has none of its columns. */
  function linesOf(chart, columns) {
    if (chart.parts) {
      const parts = columns[chart.parts];
      return parts === undefined ? null : Object.entries(parts).map(([label, values]) => ({ label, values }));
    }
    const known = Object.entries(chart.columns).filter(([name]) => columns[name] !== undefined);
    const lines = known.map(([name, label]) => ({ label, values: columns[name] }));
    // What never happened needs no line, but the first one always has its place.
    const kept = lines.filter(({ values }, index) => index === 0 || values.some((value) => value));
    return known.length === 0 ? null : kept;
  }

  function makeChart(chart, home) {
    const note = make("p", { class: "note" });
    const plot = make("div", { class: "plot", "aria-hidden": "true" });
    const legend = make("ul", { class: "legend" });
    const table = make("table");
    const details = make("details", { class: "numbers" }, make("summary", { "aria-label": `Table: ${chart.title}` }, "Table"),
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${chart.title}, table` }, table));
    const title = make("figcaption", { id: `title-${chart.id}` }, chart.title);
    const figure = make("figure", { id: `chart-${chart.id}`, "aria-labelledby": title.id }, title, note, plot, legend,
      details);
    legend.hidden = !hasCharts();
    details.open = !hasCharts();
    home.append(figure);
    const drawn = { chart, note, plot, legend, table, details, lines: [], answer: null, graph: null, summary: "" };
    details.addEventListener("toggle", () => fillTable(drawn));
    drawn.observer = new ResizeObserver(() => drawn.graph?.resize());
    drawn.observer.observe(plot);
    return drawn;
  }

  function redraw(drawn) {
    const { chart, lines } = drawn;
    const most = lines.flatMap(({ values }) => values).reduce((left, right) => Math.max(left, right ?? 0), 0);
    const limits = chart.limits ? limitsOf() : [];
    // A limit far above all that happened would press the lines flat: then it is only said.
    const near = limits.filter(({ value }) => value <= Math.max(10, most * 4));
    const said = limits.map(({ label, value }) => `${label} ${number(value)}.`);
    drawn.plot.hidden = lines.length === 0 || !hasCharts();
    drawn.summary = [lines.length === 0 ? "None." : `Most ${peaksOf(chart, lines)}.`, ...said].join(" ");
    setText(drawn.note, drawn.summary);
    fillTable(drawn);
    const labels = [...lines.map(({ label }) => label), ...near.map(({ label }) => label)];
    drawn.legend.replaceChildren(...labels.map((label, index) =>
      make("li", { class: index < lines.length ? `k${(index % 6) + 1}` : "limit" }, label)));
    if (hasCharts()) draw(drawn, near, most);
  }

  /** The largest value of each line, with its name: that of one says nothing about another. Parts add up to one. */
  function peaksOf(chart, lines) {
    const greatest = (values) => formatted(chart, values.reduce((left, right) => Math.max(left, right ?? 0), 0));
    if (chart.parts) {
      const sums = lines[0].values.map((_, index) => lines.reduce((sum, { values }) => sum + values[index], 0));
      return greatest(sums);
    }
    if (lines.length === 1) return greatest(lines[0].values);
    return lines.map(({ label, values }) => `${greatest(values)} (${label})`).join(", ");
  }

  function limitsOf() {
    if (place.function === null) {
      return account?.concurrencyLimit > 0 ? [{ label: "Account limit", value: account.concurrencyLimit }] : [];
    }
    const limits = [];
    const { reserved, provisioned } = shownFunction?.limits ?? {};
    if (typeof reserved === "number") limits.push({ label: "Reserved", value: reserved });
    if (provisioned) limits.push({ label: "Provisioned", value: provisioned.allocated });
    if (typeof reserved !== "number" && account?.concurrencyLimit > 0) {
      limits.push({ label: "Account limit", value: account.concurrencyLimit });
    }
    return limits;
  }

  function draw(drawn, limits, most) {
    const { chart, lines, answer } = drawn;
    const from = Date.parse(answer.from);
    const step = answer.resolution * 1000;
    const row = (index, at) => [new Date(at), ...lines.map(({ values }) => values[index]), ...limits.map(({ value }) => value)];
    const rows = Array.from({ length: answer.windows }, (_, index) => row(index, from + index * step));
    // The last window has a width, too.
    if (rows.length > 0) rows.push(row(answer.windows - 1, from + answer.windows * step));
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const labels = ["time", ...lines.map(({ label }) => label), ...limits.map(({ label }) => label)];
    const series = Object.fromEntries(limits.map(({ label }) => [label, { strokePattern: [6, 4], stepPlot: false }]));
    const top = Math.max(most, ...limits.map(({ value }) => value)) * 1.08;
    const options = {
      labels, series, file: rows, valueRange: [0, top > 0 ? top : 1],
      colors: labels.slice(1).map((_, index) => colour(index < lines.length ? `--c${(index % 6) + 1}` : "--limit")),
      gridLineColor: colour("--line"), axisLineColor: colour("--line"),
    };
    if (lines.length === 0) {
      drawn.graph?.destroy();
      drawn.graph = null;
      return;
    }
    if (drawn.graph) return drawn.graph.updateOptions(options);
    drawn.graph = new window.Dygraph(drawn.plot, rows, {
      ...options, file: undefined, stepPlot: true, labelsUTC: true, strokeWidth: 1.6, highlightCircleSize: 3,
      // There are no halves of what is counted.
      axes: { y: { axisLabelWidth: 58, axisLabelFormatter: (value) =>
        (chart.format || Number.isInteger(value) ? formatted(chart, value) : "") } },
      highlightCallback: (_, x, shown) => setText(drawn.note, `${clock(x, drawn.answer.resolution)}  ` +
        shown.filter(({ yval }) => yval !== null).map(({ name, yval }) => `${name} ${formatted(chart, yval)}`).join(", ")),
      unhighlightCallback: () => setText(drawn.note, drawn.summary),
    });
    // It has a field of its own for a rolling mean, which is not shown; every control has a name.
    for (const field of drawn.plot.querySelectorAll("input")) field.setAttribute("aria-label", "Windows in the mean");
  }

  /** Newest first, as `kelvin metrics lambda` prints it. */
  function fillTable({ chart, table, lines, answer, details }) {
    if (!details.open || answer === null) return;
    const head = make("tr", {}, make("th", { scope: "col" }, "Window from"),
      ...lines.map(({ label }) => make("th", { scope: "col", class: "number" }, label)));
    const from = Date.parse(answer.from);
    const rows = [];
    for (let index = answer.windows - 1; index >= 0; index--) {
      const start = from + index * answer.resolution * 1000;
      const isOpen = index >= answer.closed ? " (open)" : "";
      const time = make("time", { datetime: new Date(start).toISOString() }, clock(start, answer.resolution) + isOpen);
      rows.push(make("tr", {}, make("th", { scope: "row" }, time), ...lines.map(({ values }) => {
        const value = values[index];
        const content = value === null ? "" : make("data", { value }, formatted(chart, value));
        return make("td", { class: "number" }, content);
      })));
    }
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function clearCharts() {
    for (const drawn of charts.values()) {
      drawn.observer.disconnect();
      drawn.graph?.destroy();
      drawn.graph = null;
    }
    charts.clear();
    byId("charts").replaceChildren();
    byId("account-charts").replaceChildren();
  }

  // One function.
  function showFacts() {
    const one = shownFunction;
    if (one === null) return;
    const limits = one.limits;
    showCondition(one);
    const facts = [
      ["Executing now", number(one.concurrentExecutions)], ["Invocations", number(one.totals.invocations)],
      ["Throttled", number(one.totals.throttles)], ["Errors", number(one.totals.errors)],
      ["504s", number(one.totals.timeouts)], ["Cold starts", number(one.totals.coldStarts)],
    ];
    if (one.overlappingExecutions > 0) facts.push(["Overlapping now", number(one.overlappingExecutions)]);
    if (limits) {
      const provisioned = limits.provisioned;
      facts.push(
        ["Reserved", limits.reserved === null ? "no reserve" : number(limits.reserved) + (limits.reserved ? "" : " (paused)")],
        ["Provisioned", provisioned ? `${number(provisioned.available)} of ${number(provisioned.requested)} ready` : "none"],
        ["Memory", bytes(limits.memoryLimitBytes)], ["Timeout", seconds(limits.timeoutSeconds)],
        ["Temporary storage", bytes(limits.temporaryStorageLimitBytes)]);
    }
    setFacts(byId("facts"), facts);
  }

  /** Why the function cannot start, or that it is gone. */
  function showCondition(one) {
    const failure = one.gone ? null : one.startFailure;
    byId("condition").hidden = !one.gone && !failure;
    setText(byId("condition-text"), one.gone ? GONE_MEANS : failure ? `It cannot start: ${failure.reason}` : "");
    byId("condition-lines").hidden = !failure?.lines.length;
    setText(byId("condition-lines"), failure?.lines.join("\n") ?? "");
  }

  function setFacts(list, facts) {
    if (list.children.length !== facts.length) {
      list.replaceChildren(...facts.map(() => make("div", {}, make("dt"), make("dd"))));
    }
    facts.forEach(([term, value], index) => {
      setText(list.children[index].firstChild, term);
      setText(list.children[index].lastChild, value);
    });
  }

  // Live instances.
  function updateInstances(shown) {
    const now = Date.now();
    const alive = new Set(shown.shown.map(({ instance }) => instance));
    for (const one of shown.shown) {
      const known = instances.get(one.instance) ?? makeInstance(one);
      instances.set(one.instance, known);
      known.goneAt = null;
      const state = one.state === "initializing" && one.warmupSeconds !== undefined ? "warmed up" : one.state;
      showInstance(known, one, state);
    }
    for (const [id, known] of instances) {
      if (alive.has(id) || known.goneAt !== null) continue;
      known.goneAt = now;
      showInstance(known, known.last, "stopped");
    }
    const counts = { initializing: 0, idle: 0, busy: 0 };
    for (const { state } of shown.shown) counts[state] += 1;
    const more = shown.total > shown.shown.length ? `, the newest ${number(shown.shown.length)} are shown` : "";
    setText(byId("instances-summary"), shown.total === 0 ? "None now." :
      `${number(shown.total)} alive${more}: ${counts.initializing} initializing, ${counts.idle} idle, ${counts.busy} busy.`);
    tickAges();
  }

  function makeInstance(one) {
    const cells = Array.from({ length: 7 }, (_, index) => make("td", index > 2 ? { class: "number" } : {}));
    setText(cells[0], one.instance.slice(-8));
    cells[0].title = one.instance;
    const element = make("tr", { "data-instance": one.instance }, ...cells);
    byId("instances").tBodies[0].append(element);
    return { element, cells, started: Date.parse(one.started), goneAt: null, last: one };
  }

  function showInstance(known, one, state) {
    known.last = one;
    known.element.classList.toggle("gone", state === "stopped");
    known.element.dataset.state = state;
    known.cells[1].className = `mark ${state.replace(" ", "-")}`;
    setText(known.cells[1], state);
    setText(known.cells[2], one.initializationType);
    setText(known.cells[4], one.initializationSeconds === undefined ? "" : seconds(one.initializationSeconds));
    setText(known.cells[5], one.warmupSeconds === undefined ? "" : seconds(one.warmupSeconds));
    setText(known.cells[6], number(one.invocations));
  }

  function tickAges() {
    const now = Date.now();
    for (const [id, known] of instances) {
      if (known.goneAt === null) {
        setText(known.cells[3], seconds(Math.max(0, Math.floor((now + clockOffset - known.started) / 1000))));
      } else if (now - known.goneAt > GONE_SHOWN_MS) {
        known.element.remove();
        instances.delete(id);
      }
    }
  }

  // What happens now, told by the agent.
  let source = null;
  let retryTimer = null;
  function followLive() {
    stopLive();
    if (document.hidden) return setState("", "Paused");
    const query = new URLSearchParams();
    for (const key of place.function === null ? listed.map((row) => row.key) : [place.function]) query.append("function", key);
    if (place.function !== null) query.set("instances", place.function);
    source = new EventSource(`/api/v1/live?${query}`);
    source.onmessage = (event) => {
      setState("live", "Live");
      takeLive(JSON.parse(event.data));
    };
    source.onerror = () => {
      setState("lost", "Reconnecting …");
      // A refusal ends the source for good.
      if (source?.readyState === EventSource.CLOSED) retryTimer = setTimeout(followLive, 3000);
    };
  }

  function stopLive() {
    clearTimeout(retryTimer);
    source?.close();
    source = null;
  }

  function setState(name, text) {
    byId("state").className = name;
    setText(byId("state"), text);
  }

  function takeLive(answer) {
    clockOffset = Date.parse(answer.time) - Date.now();
    const hadLimit = account?.concurrencyLimit;
    account = answer.account;
    showAccount();
    if (place.function === null) {
      const rows = new Map(listed.map((row) => [row.key, row]));
      for (const one of answer.functions) {
        const row = rows.get(keyOf(one));
        if (row) updateRow(row, one);
      }
      if (hadLimit !== account.concurrencyLimit) redrawLimits();
      // New functions belong into the list.
      if (listTotal !== null && account.functions !== listTotal) {
        listTotal = account.functions;
        asking(loadList);
      }
      return;
    }
    const before = JSON.stringify(shownFunction?.limits);
    shownFunction = answer.functions[0] ?? null;
    showFacts();
    if (answer.instances) updateInstances(answer.instances);
    if (before !== JSON.stringify(shownFunction?.limits) || hadLimit !== account.concurrencyLimit) redrawLimits();
  }

  function redrawLimits() {
    for (const drawn of charts.values()) if (drawn.chart.limits) redraw(drawn);
  }

  function showAccount() {
    const { initializing, idle, busy } = account.instances;
    const facts = [
      ["Functions", number(account.functions)],
      ["Executing now", account.concurrencyLimit > 0
        ? `${number(account.concurrentExecutions)} of ${number(account.concurrencyLimit)}` : number(account.concurrentExecutions)],
      ["Instances", `${number(initializing)} initializing, ${number(idle)} idle, ${number(busy)} busy`],
    ];
    setFacts(byId("account"), facts);
  }

  // Who sends events from other processes.
  async function loadSources(isCurrent) {
    const answer = await ask("/api/v1/sources");
    if (!isCurrent()) return;
    byId("sources").hidden = answer.sources.length === 0;
    const now = Date.parse(answer.time);
    byId("sources").querySelector("tbody").replaceChildren(...answer.sources.map((one) => {
      const counts = [one.events, one.rejected, one.duplicateBatches, one.missingBatches];
      const texts = [`${seconds(Math.max(0, Math.floor((now - Date.parse(one.lastHeard)) / 1000)))} ago`, seconds(one.lagSeconds),
        ...counts.map(number)];
      const cells = texts.map((text) => make("td", { class: "number" }, text));
      cells[3].classList.toggle("alarm", one.rejected > 0);
      cells[5].classList.toggle("alarm", one.missingBatches > 0);
      return make("tr", {}, make("th", { scope: "row" }, one.source), ...cells);
    }));
  }

  // Queues, schedules, sockets, and functions with asynchronous invocations.
  async function loadEventSources(isCurrent) {
    const answer = await ask("/api/v1/event-sources");
    if (!isCurrent()) return;
    byId("event-sources").hidden = answer.eventSources.length === 0;
    const kinds = { queue: "queue", schedule: "schedule", websocket: "WebSocket", asynchronous: "asynchronous invocations of" };
    byId("event-sources").querySelector("tbody").replaceChildren(...answer.eventSources.map((one) => {
      const kind = Object.keys(kinds).find((each) => one[each] !== undefined);
      const amount = (value) => value === undefined ? "" : number(value);
      const { received, processed, failed, timedOut, deadLettered, missed } = one.totals;
      const cells = [
        amount(one.waiting), amount(one.inFlight), amount(one.connections),
        one.oldestAgeSeconds > 0 ? seconds(one.oldestAgeSeconds) : "",
        ...[received, processed, failed, timedOut, deadLettered, missed].map(amount),
      ].map((text) => make("td", { class: "number" }, text));
      cells[8].classList.toggle("alarm", deadLettered > 0);
      return make("tr", {}, make("th", { scope: "row" }, `${kinds[kind] ?? ""} ${one[kind] ?? ""}`), ...cells);
    }));
  }

  // Going about.
  function refreshLater(resolution) {
    clearTimeout(refreshTimer);
    refreshTimer = setTimeout(renew, 1000 * Math.min(600, Math.max(5, resolution / 4)));
  }

  function refresh() {
    load(place.function === null ? [loadList, loadCharts, loadEventSources, loadSources] : [loadCharts]);
  }

  /** What time alone changes. A list by name stays as it is: events tell its numbers, and of new functions. */
  function renew() {
    const isSteady = place.sort === "name" && listed.length > 0 && byId("problem").hidden;
    if (place.function === null && isSteady) load([loadSparks, loadCharts, loadEventSources, loadSources]);
    else refresh();
  }

  function load(work) {
    clearTimeout(refreshTimer);
    if (document.hidden) return;
    asking((isCurrent) => Promise.all(work.map((part) => part(isCurrent)))).then(() => {
      // Also after a failure: the agent may come back.
      if (!byId("problem").hidden) refreshLater(20);
    });
  }

  function show() {
    const before = place;
    visit += 1;
    place = readPlace();
    tell(null);
    if (before.function !== place.function || before.range !== place.range) clearCharts();
    if (before.function !== place.function) clearFunction();
    for (const row of listed) row.link.href = address({ function: row.key });
    const isList = place.function === null;
    byId("overview").hidden = !isList;
    byId("detail").hidden = isList;
    byId("back").href = address({ function: null });
    document.querySelector(".brand").href = address({ function: null, search: "", sort: "name", offset: 0 });
    setText(byId("detail-title"), isList ? "" : place.function);
    document.title = isList ? "Kelvin" : `${place.function} – Kelvin`;
    if (byId("search-text").value !== place.search) byId("search-text").value = place.search;
    showRanges();
    followLive();
    refresh();
  }

  function clearFunction() {
    for (const { element } of instances.values()) element.remove();
    instances.clear();
    shownFunction = null;
    setText(byId("instances-summary"), "");
    byId("facts").replaceChildren();
  }

  function showRanges() {
    const known = RANGES.includes(place.range) ? RANGES : [place.range, ...RANGES];
    byId("ranges").replaceChildren(...known.map((range) => {
      const link = make("a", { href: address({ range }) }, range);
      if (range === place.range) link.setAttribute("aria-current", "true");
      return make("li", {}, link);
    }));
  }

  function go(to, replaces = false) {
    const [was, range] = [place.function, place.range];
    const current = document.activeElement?.closest("#ranges") !== null && document.activeElement !== null;
    history[replaces ? "replaceState" : "pushState"](null, "", to);
    show();
    if (place.function !== was) {
      scrollTo(0, 0);
      byId(place.function === null ? "main" : "detail-title").focus();
    } else if (current && place.range !== range) {
      byId("ranges").querySelector("[aria-current]").focus();
    }
  }

  function listen() {
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a");
      const isOwn = link && link.origin === location.origin && link.pathname === "/" && !link.hash;
      if (!isOwn || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      go(link.href);
    });
    addEventListener("popstate", show);
    document.addEventListener("visibilitychange", () => {
      followLive();
      if (!document.hidden) refresh();
    });
    byId("functions").tHead.addEventListener("click", (event) => {
      const sort = event.target.dataset?.sort;
      if (sort) go(address({ sort, offset: 0 }), true);
    });
    byId("previous").addEventListener("click", () => go(address({ offset: Math.max(0, place.offset - PAGE_SIZE) })));
    byId("next").addEventListener("click", () => go(address({ offset: place.offset + PAGE_SIZE })));
    byId("search").addEventListener("submit", (event) => event.preventDefault());
    let typing = null;
    byId("search-text").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        if (byId("search-text").value !== place.search) go(address({ search: byId("search-text").value, offset: 0 }), true);
      }, 250);
    });
    setInterval(() => { if (!document.hidden) tickAges(); }, 1000);
  }

  // Colours: as the system has them, unless chosen here.
  function startTheme() {
    const key = "kelvin-theme";
    let chosen = "auto";
    // Storage may be forbidden; then the choice lasts as long as the page.
    try { chosen = localStorage.getItem(key) || "auto"; } catch { /* as said */ }
    const apply = (theme) => {
      document.documentElement.dataset.theme = theme;
      for (const drawn of charts.values()) redraw(drawn);
    };
    byId("theme").value = ["light", "dark"].includes(chosen) ? chosen : "auto";
    apply(byId("theme").value);
    byId("theme").addEventListener("change", () => {
      apply(byId("theme").value);
      try { localStorage.setItem(key, byId("theme").value); } catch { /* as said */ }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(byId("theme").value));
  }

  if (hasCharts()) {
    // Its legend sets a style attribute, which the page's policy forbids, and writes markup; the page has its own.
    const { Legend } = window.Dygraph.Plugins;
    window.Dygraph.PLUGINS = window.Dygraph.PLUGINS.filter((plugin) => plugin !== Legend);
  }
  byId("no-charts").hidden = hasCharts();
  startTheme();
  listen();
  show();
})();
