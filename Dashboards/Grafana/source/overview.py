"""All functions together, and the busiest of them beside each other."""
from agent_row import agent_row
from grafana import (
    ANY_IS_BAD, ANY_IS_WORTH_A_LOOK, COLD_SHARE, ERROR_RATIO, NEAR_LIMIT, UTILIZATION, Row, annotation, choice, dashboard,
    dashboard_link, data_link, datasource_variable, graph, heatmap, stat, table, target, variable,
)
from queries import (
    ACCOUNT, FUNCTIONS, RANGE, RATE, buckets, changed, increase, mean, now, peak, quantile, quantile_of_range, rate, share,
)

SELECTED = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
FUNCTION_PAGE = f"/d/kelvin-function?{SELECTED}&${{__url_time_range}}&var-function="
TO_FUNCTION = [data_link("Show ${__field.labels.function}", FUNCTION_PAGE + "${__field.labels.function}")]
TO_FUNCTION_OF_CELL = [data_link("Show ${__value.raw}", FUNCTION_PAGE + "${__value.raw}")]
INVOCATIONS, ERRORS, THROTTLES = "lambda_invocations_total", "lambda_errors_total", "lambda_throttles_total"
TIMEOUTS, COLD_STARTS = "lambda_timeouts_total", "lambda_cold_starts_total"
DURATION, MEMORY = "lambda_invocation_duration_seconds", "lambda_memory_used_bytes"
INITIALIZATION, WARM_UP = "lambda_initialization_duration_seconds", "lambda_warmup_duration_seconds"
NO_INVOCATIONS = "no invocations"


def largest(expression):
    """The series with the largest values, so that thousands of functions make no thousands of lines."""
    return f"topk($top, {expression})"


def by_function(title, description, expression, unit, legend="{{function}}", **more):
    return graph(title, description, [target(largest(expression), legend)], unit, links=TO_FUNCTION, **more)


def overview():
    variables = [
        datasource_variable(),
        variable("job", "Job", "label_values(kelvin_build_info, job)", "Jobs of Prometheus that scrape Kelvin."),
        variable("instance", "Instance", 'label_values(kelvin_build_info{job=~"$job"}, instance)', "Agents."),
        variable(
            "function",
            "Function", 'label_values(lambda_function_info{job=~"$job", instance=~"$instance"}, function)', "Functions."),
        choice(
            "top", "Lines",
            ["5", "10", "25", "100"], "10", "How many functions a graph shows beside each other: those with the most."),
    ]
    link = dashboard_link("One function", f"/d/kelvin-function?{SELECTED}", "The page of one function")
    return dashboard(
        "kelvin-overview",
        "Kelvin / Overview", "All functions that Kelvin watches: concurrency, throttles, cold starts, durations, 504s.",
        variables, limit_changes(FUNCTIONS), [link], [
            Row("All functions", totals()), Row("Functions", [functions()]), Row("Concurrency", concurrency()),
            Row("Traffic and errors", traffic()), Row("Cold starts", cold_starts()), Row("Durations", durations()),
            Row("Instances and memory", instances()), Row("Provisioned concurrency", provisioned()),
            Row("Queues, schedules and sockets", event_sources(), collapsed=True), agent_row(),
        ])


def limit_changes(scope):
    known = "lambda_function_info"
    return [
        annotation(
            "Reserved concurrency changed", changed(scope, known, "lambda_reserved_concurrency"), "orange", "{{function}}"),
        annotation(
            "Provisioned concurrency changed",
            changed(scope, known, "lambda_provisioned_concurrency", only=('state="requested"',)), "purple", "{{function}}"),
        annotation(
            "Memory or timeout changed", changed(scope, known, "lambda_memory_limit_bytes", "lambda_timeout_seconds"), "blue",
            "{{function}}"),
    ]


def outcome_totals(scope):
    """What became of the calls of one function or of several, as numbers."""
    invocations = increase(scope, INVOCATIONS)
    return [
        stat(
            "Invocations", "Invocations that finished in the time that is shown.",
            invocations, "short", width=3, decimals=0),
        stat(
            "Errors",
            "The share of invocations that failed, including timeouts and crashes. Throttles are not invocations.",
            share(increase(scope, ERRORS), invocations), "percentunit", ERROR_RATIO, width=3, no_value=NO_INVOCATIONS),
        stat(
            "Throttles",
            "Invocations refused because of a concurrency or rate limit in the time that is shown.", increase(scope, THROTTLES),
            "short", ANY_IS_WORTH_A_LOOK, width=3, decimals=0),
        stat(
            "504s", "Invocations whose caller got a 504 in the time that is shown.",
            increase(scope, TIMEOUTS), "short", ANY_IS_BAD, width=3, decimals=0),
        stat(
            "Cold starts", "The share of invocations that waited for an on-demand initialization.",
            share(increase(scope, COLD_STARTS), invocations), "percentunit", COLD_SHARE, width=3, no_value=NO_INVOCATIONS),
    ]


def totals():
    claimed = peak(ACCOUNT, "lambda_account_claimed_concurrency_max", "job", "instance", window=RANGE)
    limit = now(ACCOUNT, "lambda_account_concurrency_limit", "job", "instance", operator="max")
    return [
        stat(
            "Functions", "Functions that are chosen above and known now.",
            f"count(count by (function) ({FUNCTIONS('lambda_function_info')}))", "short", width=3),
        *outcome_totals(FUNCTIONS),
        stat(
            "Most at once",
            "The most executions of all functions of an account at one instant of the time that is shown.",
            peak(ACCOUNT, "lambda_account_concurrent_executions_max", window=RANGE), "short", width=3),
        stat(
            "Claimed of the account",
            "The most concurrency that was in use, reserved or provisioned, as a share of the account's limit.",
            f"max({claimed} / {limit})", "percentunit", NEAR_LIMIT, width=3, no_value="no limit known"),
    ]


def functions():
    label = ("function",)
    invocations = increase(FUNCTIONS, INVOCATIONS, *label)
    memory = peak(FUNCTIONS, "lambda_memory_used_max_bytes", "job", "instance", "function", "version", window=RANGE)
    limit = now(FUNCTIONS, "lambda_memory_limit_bytes", "job", "instance", "function", "version", operator="max")
    some, any_bad = [(None, "text"), (0.5, "orange")], [(None, "text"), (0.5, "red")]
    return table(
        "Functions in the time that is shown", "One line for each function; its name leads to its page.", [
            ("Invocations", invocations, "short", None),
            ("Throttles", increase(FUNCTIONS, THROTTLES, *label), "short", some),
            ("Errors", share(increase(FUNCTIONS, ERRORS, *label), invocations), "percentunit", ERROR_RATIO),
            ("504s", increase(FUNCTIONS, TIMEOUTS, *label), "short", any_bad),
            ("Cold starts", increase(FUNCTIONS, COLD_STARTS, *label), "short", None),
            ("Concurrent (max)", peak(FUNCTIONS, "lambda_concurrent_executions_max", *label, window=RANGE), "short", None),
            ("Reserved", now(FUNCTIONS, "lambda_reserved_concurrency", *label, operator="max"), "short", None),
            ("Provisioned", now(FUNCTIONS, "lambda_provisioned_concurrency", *label, only=('state="requested"',)), "short", None),
            ("Duration p50", quantile_of_range(0.5, FUNCTIONS, DURATION, *label), "s", None),
            ("Duration p95", quantile_of_range(0.95, FUNCTIONS, DURATION, *label), "s", None),
            ("Duration max", peak(FUNCTIONS, "lambda_invocation_duration_max_seconds", *label, window=RANGE), "s", None),
            ("Memory of limit", f"max by (function) ({memory} / {limit})", "percentunit", NEAR_LIMIT),
        ], "function", "Function", TO_FUNCTION_OF_CELL)


def account_concurrency():
    return graph(
        "Concurrency of the account against its limit", "The most executions at one instant of each window, of all "
        "functions and of those without a reserve; claimed is what was in use, reserved or provisioned. At the limit, "
        "invocations are throttled. These are computed on all functions together: peaks of single functions do not add up.", [
            target(peak(ACCOUNT, "lambda_account_claimed_concurrency_max", "instance"), "claimed (max) {{instance}}"),
            target(peak(ACCOUNT, "lambda_account_concurrent_executions_max", "instance"), "executions (max) {{instance}}"),
            target(peak(ACCOUNT, "lambda_account_unreserved_concurrent_executions_max", "instance"), "unreserved (max) {{instance}}"),
            target(now(ACCOUNT, "lambda_account_concurrent_executions", "instance"), "executions now {{instance}}"),
            target(now(ACCOUNT, "lambda_account_concurrency_limit", "instance", operator="max"), "limit {{instance}}"),
        ], "short", limits=["limit"])


def concurrency():
    labels = ("job", "instance", "function")
    used = peak(FUNCTIONS, "lambda_concurrent_executions_max", *labels)
    reserved = now(FUNCTIONS, "lambda_reserved_concurrency", *labels, operator="max")
    return [
        account_concurrency(),
        by_function(
            "Concurrency by function", "The most executions in progress at one instant of each window.",
            peak(FUNCTIONS, "lambda_concurrent_executions_max", "function"), "short"),
        by_function(
            "Reserved concurrency in use", "The most executions at one instant of each window, as a share of what is "
            "reserved. At 100 % invocations of that function are throttled, whatever is left of the account.",
            f"max by (function) ({share(used, reserved)})", "percentunit",
            thresholds=NEAR_LIMIT, no_value="no function has a reserve"),
        by_function(
            "Concurrency-seconds", "The integral of concurrency each second, which is the mean number of executions "
            "in progress. It is exact over any span of time.",
            rate(FUNCTIONS, "lambda_concurrency_seconds_total", "function"), "short"),
        graph(
            "Throttles by reason", "Invocations refused each second. ConcurrentInvocationLimitExceeded is the "
            "account's limit, Reserved… the function's own; the rates are those of AWS.",
            [target(rate(FUNCTIONS, THROTTLES, "reason"), "{{reason}}")], "reqps", stacked=True),
        by_function(
            "Throttles by function", "Invocations refused each second.",
            rate(FUNCTIONS, THROTTLES, "function"), "reqps"),
    ]


def traffic():
    invocations = rate(FUNCTIONS, INVOCATIONS, "function")
    return [
        graph(
            "Invocations by trigger", "Invocations that finished each second, by trigger.",
            [target(rate(FUNCTIONS, INVOCATIONS, "trigger"), "{{trigger}}")], "reqps", stacked=True),
        by_function("Invocations by function", "Invocations that finished each second.", invocations, "reqps"),
        by_function(
            "Error ratio", "The share of invocations that failed, including timeouts and crashes.",
            share(rate(FUNCTIONS, ERRORS, "function"), invocations), "percentunit", thresholds=ERROR_RATIO, top=1),
        graph(
            "Errors", "Invocations that failed each second: all of them, and those with a known cause. A crash: the "
            "process of the instance exited. Out of memory: the process was ended because it exceeded its memory limit.", [
                target(rate(FUNCTIONS, ERRORS), "all errors"), target(rate(FUNCTIONS, TIMEOUTS), "504s"),
                target(rate(FUNCTIONS, "lambda_crashes_total"), "crashes"),
                target(rate(FUNCTIONS, "lambda_out_of_memory_total"), "out of memory"),
            ], "reqps"),
        graph(
            "504s by source", "Invocations each second whose caller got a 504, by the source of the timeout: handler, the "
            "function gave up by itself; platform, the host ended the instance; init, the instance was not initialized "
            "in time; gateway, a front end stopped waiting.",
            [target(rate(FUNCTIONS, TIMEOUTS, "source"), "{{source}}")], "reqps", stacked=True),
        by_function(
            "Overlapping executions",
            "Handlers that have timed out and still run, during the next request of their instance.",
            f"max by (function) (max_over_time({FUNCTIONS('lambda_overlapping_executions')}{RATE}))", "short"),
    ]


def cold_starts():
    return [
        by_function(
            "Cold starts", "Invocations each second that waited for an on-demand initialization.",
            rate(FUNCTIONS, COLD_STARTS, "function"), "reqps"),
        by_function(
            "Share of cold starts", "The share of invocations that waited for an on-demand initialization.",
            share(rate(FUNCTIONS, COLD_STARTS, "function"), rate(FUNCTIONS, INVOCATIONS, "function")), "percentunit",
            thresholds=COLD_SHARE, top=1),
        graph(
            "Initializations", "Instances initialized each second, by initialization type; those that failed or took too long; and "
            "warm-up hooks that failed. Provisioned instances initialize before there is a request, so they are no "
            "cold starts.", [
                target(rate(FUNCTIONS, "lambda_initializations_total", "initialization_type"), "{{initialization_type}}"),
                target(rate(FUNCTIONS, "lambda_initialization_failures_total"), "failed"),
                target(rate(FUNCTIONS, "lambda_warmup_failures_total"), "warm-up failed"),
            ], "ops"),
        graph(
            "Initialization and warm-up", "How long instances take from their start until they ask for their first "
            "event, warm-up included, and how long warm-up hooks take.", [
                target(quantile(0.5, FUNCTIONS, INITIALIZATION), "initialization p50"),
                target(quantile(0.95, FUNCTIONS, INITIALIZATION), "initialization p95"),
                target(quantile(0.5, FUNCTIONS, WARM_UP), "warm-up p50"),
                target(quantile(0.95, FUNCTIONS, WARM_UP), "warm-up p95"),
            ], "s"),
        heatmap(
            "Initializations by duration", "How many initializations took how long, warm-up included.",
            buckets(FUNCTIONS, INITIALIZATION), "s"),
        heatmap("Warm-ups by duration", "How many warm-up hooks took how long.", buckets(FUNCTIONS, WARM_UP), "s"),
    ]


def by_source(label, title, description, expression, unit, **more):
    """A line for each queue, schedule or socket: those with the largest values."""
    return graph(title, description, [target(largest(expression), f"{{{{{label}}}}}")], unit, **more)


def event_sources():
    queue, schedule, socket = "lambda_queue_", "lambda_schedule_", "lambda_websocket_"
    return [
        by_source(
            "queue", "Messages waiting (max)", "The most messages at one instant of each window that could be delivered.",
            peak(ACCOUNT, queue + "messages_waiting_max", "queue"), "short"),
        by_source(
            "queue", "Oldest message (max)", "How long the oldest message had waited at most in each window.",
            peak(ACCOUNT, queue + "oldest_message_age_max_seconds", "queue"), "s"),
        graph(
            "Messages", "Messages of all queues each second: taken, done with, delivered again, failed, timed out, and moved to a "
            "dead-letter queue.", [
                target(rate(ACCOUNT, queue + f"messages_{word}_total"), legend) for word, legend in (
                    ("received", "queued"), ("processed", "processed"), ("retried", "retried"), ("failed", "failed"),
                    ("timed_out", "timed out"), ("dead_lettered", "dead letters"))], "ops"),
        by_source(
            "queue", "Waiting p95", "95 of 100 messages waited no longer from when they could be delivered until they were.",
            quantile(0.95, ACCOUNT, queue + "waiting_seconds", "queue"), "s"),
        by_source(
            "schedule", "Lateness of schedules p95", "95 of 100 runs came no later after their time.",
            quantile(0.95, ACCOUNT, schedule + "lateness_seconds", "schedule"), "s"),
        graph(
            "Runs of schedules", "Runs of all schedules each second: handed over, failed, timed out, left out because the last one had not "
            "ended, and late because no host ran.", [
                target(rate(ACCOUNT, schedule + f"runs{word}_total"), legend) for word, legend in (
                    ("", "invoked"), ("_failed", "failed"), ("_timed_out", "timed out"), ("_skipped", "skipped"),
                    ("_missed", "missed"))], "ops"),
        by_source(
            "websocket", "Open connections (max)", "The most open connections at one instant of each window.",
            peak(ACCOUNT, socket + "connections_max", "websocket"), "short"),
        graph(
            "Messages of sockets", "Messages of all WebSockets each second: from clients, to clients, failed, and timed out.", [
                target(rate(ACCOUNT, socket + f"messages_{word}_total"), legend) for word, legend in (
                    ("received", "received"), ("sent", "sent"), ("failed", "failed"), ("timed_out", "timed out"))], "ops"),
        graph(
            "HTTP responses", "Answers to requests over HTTP each second, by class of status; a throttled request is a 4xx.",
            [target(rate(FUNCTIONS, "lambda_http_responses_total", "code"), "{{code}}")], "reqps", stacked=True),
        by_source(
            "function", "Asynchronous events waiting (max)",
            "The most events of asynchronous invocations at one instant of each window that could be handed over.",
            peak(FUNCTIONS, "lambda_asynchronous_events_waiting_max", "function"), "short"),
    ]


def durations():
    timeout = now(FUNCTIONS, "lambda_timeout_seconds", "job", "instance", "function", operator="min")
    longest = peak(FUNCTIONS, "lambda_invocation_duration_max_seconds", "job", "instance", "function")
    return [
        graph(
            "Duration of all functions",
            "From the hand-over of an event to an instance until the answer, the timeout or the crash.", [
                target(quantile(0.5, FUNCTIONS, DURATION), "p50"), target(quantile(0.95, FUNCTIONS, DURATION), "p95"),
                target(quantile(0.99, FUNCTIONS, DURATION), "p99", exemplar=True),
                target(mean(FUNCTIONS, DURATION), "mean"),
            ], "s"),
        heatmap("Invocations by duration", "How many invocations took how long.", buckets(FUNCTIONS, DURATION), "s"),
        by_function(
            "Duration p95 by function", "95 of 100 invocations took no longer.",
            quantile(0.95, FUNCTIONS, DURATION, "function"), "s"),
        by_function(
            "Longest invocation of its timeout",
            "The longest invocation of each window, as a share of the timeout. At 100 % it was a 504.",
            f"max by (function) ({longest} / {timeout})", "percentunit", thresholds=NEAR_LIMIT),
    ]


def instances():
    labels = ("job", "instance", "function", "version")
    used = peak(FUNCTIONS, "lambda_memory_used_max_bytes", *labels)
    limit = now(FUNCTIONS, "lambda_memory_limit_bytes", *labels, operator="max")
    return [
        graph(
            "Instances by state",
            "Instances alive now. They initialize, wait for an invocation, or are busy with one; a busy one takes no other.",
            [target(now(FUNCTIONS, "lambda_instances", "state"), "{{state}}")], "short", stacked=True),
        by_function(
            "Instances by function",
            "The most instances alive at one instant of each window.", peak(FUNCTIONS, "lambda_instances_max", "function"), "short"),
        graph(
            "Instances that stopped", "Instances that stopped each second, by reason: idle, nothing came; timeout, an "
            "invocation took too long; failure, their process ended; scale-in, provisioned no longer; shutdown, the "
            "host ended.",
            [target(rate(FUNCTIONS, "lambda_instance_stops_total", "reason"), "{{reason}}")], "ops"),
        graph(
            "Lifetime of instances", "How long instances that stopped had lived.", [
                target(quantile(0.5, FUNCTIONS, "lambda_instance_lifetime_seconds"), "p50"),
                target(quantile(0.95, FUNCTIONS, "lambda_instance_lifetime_seconds"), "p95"),
            ], "s"),
        by_function(
            "Memory of its limit", "The most memory that an instance had used by the end of an invocation of each "
            "window, as a share of its limit. At 100 % the instance is ended.",
            f"max by (function) ({used} / {limit})", "percentunit", thresholds=NEAR_LIMIT, top=1),
        by_function(
            "Billed time",
            "Billed seconds each second.", rate(FUNCTIONS, "lambda_billed_seconds_total", "function"), "short"),
    ]


def provisioned():
    none = "no function has provisioned concurrency"
    return [
        graph(
            "Provisioned concurrency", "Provisioned instances: requested, started (allocated) and ready (available).",
            [target(now(FUNCTIONS, "lambda_provisioned_concurrency", "state"), "{{state}}")], "short", 8, limits=["requested"],
            no_value=none),
        by_function(
            "Provisioned concurrency in use", "The largest share in use in each window. Under 60 % it costs more than "
            "it brings; at 100 % the next invocation spills over.",
            peak(FUNCTIONS, "lambda_provisioned_concurrency_utilization_max", "function"), "percentunit", width=8,
            thresholds=UTILIZATION, top=1, no_value=none),
        graph(
            "Spillover",
            "Invocations each second of functions with provisioned concurrency: on it, and on demand because it was used up.", [
                target(rate(FUNCTIONS, "lambda_provisioned_invocations_total"), "on provisioned concurrency"),
                target(rate(FUNCTIONS, "lambda_provisioned_spillover_invocations_total"), "spilled over"),
            ], "reqps", 8),
    ]
