"""What a dashboard of Grafana's consists of, as plain dictionaries (schema version 36, Grafana 9 and later)."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
GREEN, BLUE, ORANGE, RED = "green", "blue", "orange", "red"

# What is good, what to look at, what to act on: from zero up.
ANY_IS_BAD = [(None, GREEN), (0.5, RED)]
ANY_IS_WORTH_A_LOOK = [(None, GREEN), (0.5, ORANGE)]
NEAR_LIMIT = [(None, GREEN), (0.8, ORANGE), (0.95, RED)]
ERROR_RATIO = [(None, GREEN), (0.01, ORANGE), (0.05, RED)]
COLD_SHARE = [(None, GREEN), (0.01, ORANGE), (0.1, RED)]
# Less than 60 % of provisioned concurrency in use costs more than it brings; all in use is about to spill over.
UTILIZATION = [(None, BLUE), (0.6, GREEN), (0.95, ORANGE)]
NONE = [(None, GREEN)]


# Targets

def target(expr, legend="", **more):
    """A query for every point of a graph."""
    made = {"expr": expr, "legendFormat": legend or "__auto", "range": True, "instant": False, "format": "time_series"}
    return made | more


def single(expr, legend="", **more):
    """A query for one moment, the end of what is shown."""
    return target(expr, legend, range=False, instant=True, **more)


# Panels

def panel(kind, title, description, targets, unit, width, height, thresholds=None, options=None, **defaults):
    for letter, query in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", targets, strict=False):
        query["refId"] = letter
        query["datasource"] = DATASOURCE
    steps = [{"color": color, "value": value} for value, color in thresholds or NONE]
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE, "targets": targets,
        "gridPos": {"w": width, "h": height}, "options": options or {},
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}, **defaults},
            "overrides": [],
        },
    }


def stat(title, description, expr, unit, thresholds=None, width=4, decimals=None, no_value=None):
    options = {
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""}, "colorMode": "value",
        "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
    }
    made = panel("stat", title, description, [single(expr, title)], unit, width, 4, thresholds, options)
    defaults = made["fieldConfig"]["defaults"]
    if decimals is not None:
        defaults["decimals"] = decimals
    if no_value is not None:
        defaults["noValue"] = no_value
    return made


def graph(title, description, targets, unit, width=12, height=8, thresholds=None, stacked=False, limits=(), top=None,
          no_value=None, links=()):
    """Lines over time, from zero. `limits` are legends that are drawn as dashed lines; thresholds, too."""
    custom = {
        "drawStyle": "line", "lineWidth": 1, "fillOpacity": 40 if stacked else 10, "showPoints": "never",
        "spanNulls": False, "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if thresholds else "off"}, "axisSoftMin": 0,
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["max", "lastNotNull"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    made = panel(
        "timeseries", title, description, targets, unit, width, height, thresholds, options, custom=custom, min=0)
    if top is not None:
        made["fieldConfig"]["defaults"]["max"] = top
    if no_value is not None:
        made["fieldConfig"]["defaults"]["noValue"] = no_value
    if links:
        made["fieldConfig"]["defaults"]["links"] = list(links)
    made["fieldConfig"]["overrides"] = [dashed(legend) for legend in limits]
    return made


def dashed(legend):
    """A limit: a line that is no measurement."""
    return override(
        "byRegexp", f"/^{legend}/", ("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
        ("custom.fillOpacity", 0), ("custom.lineWidth", 2), ("custom.stacking", {"mode": "none", "group": "A"}),
        ("color", {"mode": "fixed", "fixedColor": RED}))


def override(matcher, name, *properties):
    return {
        "matcher": {"id": matcher, "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties],
    }


def heatmap(title, description, queries, unit, width=12, height=8):
    """Classic buckets in the first query, a native histogram in the second; one of them has no series."""
    classic, native = queries
    targets = [target(classic, "{{le}}", format="heatmap"), target(native, "", format="heatmap")]
    options = {
        "calculate": False, "cellGap": 1, "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False},
        "rowsFrame": {"layout": "auto"}, "tooltip": {"show": True, "yHistogram": True}, "legend": {"show": True},
        "color": {
            "mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64, "reverse": False},
        "cellValues": {"unit": "cps"}, "filterValues": {"le": 1e-9}, "showValue": "never",
    }
    return panel("heatmap", title, description, targets, unit, width, height, None, options)


def table(title, description, columns, key, key_title, links, width=24, height=10):
    """One line for each value of the label `key`; `columns` are (title, expression, unit, thresholds)."""
    targets = [single(expr, format="table") for _, expr, _, _ in columns]
    made = panel(
        "table", title, description, targets, "short", width, height, None, {"showHeader": True, "footer": {"show": False}},
        noValue="", custom={"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True})
    names = {key: key_title}
    overrides = [override("byName", key_title, ("links", list(links)), ("custom.width", 220))]
    for query, (name, _, unit, thresholds) in zip(targets, columns, strict=True):
        names[f"Value #{query['refId']}"] = name
        properties = [("unit", unit)]
        if thresholds:
            steps = [{"color": color, "value": value} for value, color in thresholds]
            properties += [
                ("thresholds", {"mode": "absolute", "steps": steps}), ("custom.cellOptions", {"type": "color-text"})]
        overrides.append(override("byName", name, *properties))
    made["fieldConfig"]["overrides"] = overrides
    made["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": True}, "renameByName": names,
            "indexByName": {name: index for index, name in enumerate(names)}}},
    ]
    return made


# Variables

def datasource_variable():
    return {
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0, "refresh": 1,
        "regex": "", "multi": False, "includeAll": False, "options": [], "current": {},
    }


def variable(name, label, query, description, several=True, all_value=".+"):
    made = {
        "type": "query", "name": name, "label": label, "description": description, "datasource": DATASOURCE,
        "query": {"query": query, "refId": f"variable-{name}"}, "definition": query, "refresh": 2, "sort": 1, "hide": 0,
        "regex": "", "multi": several, "includeAll": several, "options": [], "current": {},
    }
    if several:
        made["allValue"] = all_value
        made["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return made


def choice(name, label, values, chosen, description):
    return {
        "type": "custom", "name": name, "label": label, "description": description, "query": ",".join(values), "hide": 0,
        "multi": False, "includeAll": False, "current": {"selected": True, "text": chosen, "value": chosen},
        "options": [{"text": value, "value": value, "selected": value == chosen} for value in values],
    }


# Links and annotations

def dashboard_link(title, url, tooltip):
    return {
        "type": "link", "title": title, "url": url, "tooltip": tooltip, "icon": "dashboard", "keepTime": True,
        "includeVars": False, "asDropdown": False, "targetBlank": False, "tags": [],
    }


def data_link(title, url):
    return {"title": title, "url": url, "targetBlank": False}


def annotation(name, expr, color, text):
    return {
        "name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr,
        "titleFormat": name, "textFormat": text, "tagKeys": "function", "step": "", "useValueForTime": False,
    }


# The whole

class Row:
    """A heading and its panels, which flow from left to right. A collapsed one asks nothing until it is opened."""

    def __init__(self, title, panels, collapsed=False, repeat=None):
        self.title, self.panels, self.collapsed, self.repeat = title, panels, collapsed, repeat


class Layout:
    """Gives every panel its place and its number."""

    def __init__(self):
        self.y, self.number = 0, 0

    def place(self, made, x, y):
        self.number += 1
        made["id"] = self.number
        made["gridPos"].update(x=x, y=y)

    def flow(self, panels):
        x = height = 0
        for made in panels:
            size = made["gridPos"]
            if x + size["w"] > COLUMNS:
                self.y, x, height = self.y + height, 0, 0
            self.place(made, x, self.y)
            x, height = x + size["w"], max(height, size["h"])
        self.y += height

    def row(self, row):
        heading = {
            "type": "row", "title": row.title, "collapsed": row.collapsed, "panels": [],
            "gridPos": {"w": COLUMNS, "h": 1},
        }
        if row.repeat:
            heading["repeat"] = row.repeat
        self.place(heading, 0, self.y)
        self.y += 1
        self.flow(row.panels)
        if row.collapsed:
            heading["panels"] = row.panels
            return [heading]
        return [heading, *row.panels]


def dashboard(uid, title, description, variables, annotations, links, rows):
    layout = Layout()
    panels = [made for row in rows for made in layout.row(row)]
    own = {
        "builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
    }
    return {
        "uid": uid, "title": title, "description": description, "tags": ["kelvin", "serverless", "lambda"],
        "schemaVersion": 36, "version": 1, "editable": False, "graphTooltip": 1, "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"}, "refresh": "30s", "fiscalYearStartMonth": 0, "liveNow": False,
        "weekStart": "", "links": links, "templating": {"list": variables}, "annotations": {"list": [own, *annotations]},
        "panels": panels,
    }
