"""One function, with all its limits."""
from agent_row import agent_row
from grafana import (
    COLD_SHARE, ERROR_RATIO, NEAR_LIMIT, UTILIZATION, Row, dashboard, dashboard_link,
    datasource_variable, graph, heatmap, stat, target, variable,
)
from overview import (
    COLD_STARTS, DURATION, ERRORS, INITIALIZATION, INVOCATIONS, MEMORY, NO_INVOCATIONS, SELECTED, THROTTLES, TIMEOUTS, WARM_UP,
    account_concurrency, limit_changes, outcome_totals,
)
from queries import (
    FUNCTION, RANGE, RATE, WHOLE_FUNCTION, buckets, increase, mean, now, peak, quantile, quantile_of_range, rate, share,
)

LIFETIME = "lambda_instance_lifetime_seconds"


def function_page():
    where = 'job=~"$job", instance=~"$instance"'
    variables = [
        datasource_variable(),
        variable("job", "Job", "label_values(kelvin_build_info, job)", "Jobs of Prometheus that scrape Kelvin."),
        variable("instance", "Instance", 'label_values(kelvin_build_info{job=~"$job"}, instance)', "Agents."),
        variable(
            "function",
            "Function", f"label_values(lambda_function_info{{{where}}}, function)", "The function that is shown.", several=False),
        variable(
            "version", "Version", f'label_values(lambda_function_info{{{where}, function="$function"}}, version)',
            "Versions and aliases, if there are others than $LATEST.", all_value=".*"),
    ]
    links = [dashboard_link("All functions", f"/d/kelvin-overview?{SELECTED}", "Back to the overview")]
    return dashboard(
        "kelvin-function",
        "Kelvin / Function", "One function: its limits, what it does, how it starts, and how it fails.", variables,
        limit_changes(WHOLE_FUNCTION), links, [
            Row("$function", totals() + limits()), Row("Concurrency and throttles", concurrency()),
            Row("Invocations, errors, and 504s", outcomes()), Row("Cold starts, initialization, warm-up", cold_starts()),
            Row("Durations", durations()), Row("Instances and memory", instances()),
            Row("Provisioned concurrency", provisioned()), agent_row(),
        ])


def totals():
    return [
        *outcome_totals(FUNCTION),
        stat(
            "Spilled over",
            "The share of invocations meant for provisioned concurrency that ran on demand because it was used up.", share(
                increase(FUNCTION, "lambda_provisioned_spillover_invocations_total"),
                f"({increase(FUNCTION, 'lambda_provisioned_spillover_invocations_total')}"
                f" + {increase(FUNCTION, 'lambda_provisioned_invocations_total')})"),
            "percentunit", COLD_SHARE, width=3, no_value="none provisioned"),
        stat(
            "Most at once", "The most executions at one instant of the time that is shown.",
            peak(FUNCTION, "lambda_concurrent_executions_max", window=RANGE), "short", width=3),
        stat(
            "Duration p95", "95 of 100 invocations of the time that is shown took no longer.",
            quantile_of_range(0.95, FUNCTION, DURATION), "s", width=3, no_value=NO_INVOCATIONS),
    ]


def limits():
    return [
        stat(
            "Reserved", "Concurrency reserved for the function, which is also its limit; 0 pauses it.",
            now(WHOLE_FUNCTION, "lambda_reserved_concurrency", operator="max"), "short", no_value="no reserve"),
        stat(
            "Provisioned", "Instances that are kept ready before any request.",
            now(FUNCTION, "lambda_provisioned_concurrency", only=('state="requested"',)), "short", no_value="none"),
        stat(
            "Timeout", "The longest that an invocation may take.",
            now(FUNCTION, "lambda_timeout_seconds", operator="max"), "s", no_value="not known"),
        stat(
            "Memory", "What an instance may use.",
            now(FUNCTION, "lambda_memory_limit_bytes", operator="max"), "bytes", no_value="not known"),
        stat(
            "Temporary storage", "The space that an instance may use for temporary files.",
            now(FUNCTION, "lambda_temporary_storage_limit_bytes", operator="max"), "bytes", no_value="not known"),
        stat("Instances", "Instances alive now.", now(FUNCTION, "lambda_instances"), "short"),
    ]


def concurrency():
    reserved = now(WHOLE_FUNCTION, "lambda_reserved_concurrency", operator="max")
    return [
        graph(
            "Concurrency against its limits", "The most executions at one instant of each window, against what is "
            "reserved, at which invocations are throttled, and what is provisioned, beyond which they spill over. The "
            "mean is exact; what a scrape happens to see is not the maximum.", [
                target(peak(FUNCTION, "lambda_concurrent_executions_max"), "executions (max)"),
                target(rate(FUNCTION, "lambda_concurrency_seconds_total"), "executions (mean)"),
                target(now(FUNCTION, "lambda_concurrent_executions"), "executions now"),
                target(reserved, "reserved"),
                target(now(FUNCTION, "lambda_provisioned_concurrency", only=('state="requested"',)), "provisioned"),
            ], "short", limits=["reserved", "provisioned"]),
        account_concurrency(),
        graph(
            "Reserved concurrency in use",
            "The most executions at one instant of each window, as a share of what is reserved.",
            [target(share(peak(FUNCTION, "lambda_concurrent_executions_max"), reserved), "in use")], "percentunit",
            thresholds=NEAR_LIMIT, no_value="no reserve"),
        graph(
            "Throttles by reason", "Invocations refused each second. "
            "ReservedFunctionConcurrentInvocationLimitExceeded is the function's own limit, "
            "ConcurrentInvocationLimitExceeded what is left of the account.",
            [target(rate(FUNCTION, THROTTLES, "reason"), "{{reason}}")], "reqps", stacked=True),
    ]


def outcomes():
    invocations = rate(FUNCTION, INVOCATIONS)
    return [
        graph(
            "Invocations by trigger", "Invocations that finished each second, by trigger.",
            [target(rate(FUNCTION, INVOCATIONS, "trigger"), "{{trigger}}")], "reqps", 8, stacked=True),
        graph(
            "Errors",
            "Invocations that failed each second: all of them, and those with a known cause.", [
                target(rate(FUNCTION, ERRORS), "all errors"), target(rate(FUNCTION, TIMEOUTS), "504s"),
                target(rate(FUNCTION, "lambda_crashes_total"), "crashes"),
                target(rate(FUNCTION, "lambda_out_of_memory_total"), "out of memory"),
            ], "reqps", 8),
        graph(
            "Error ratio", "The share of invocations that failed.",
            [target(share(rate(FUNCTION, ERRORS), invocations), "errors")], "percentunit", 8, thresholds=ERROR_RATIO, top=1),
        graph(
            "504s by source", "Invocations each second whose caller got a 504, by the source of the timeout: handler, the "
            "function gave up by itself; platform, the host ended the instance; init, the instance was not initialized "
            "in time; gateway, a front end stopped waiting.",
            [target(rate(FUNCTION, TIMEOUTS, "source"), "{{source}}")], "reqps", stacked=True),
        graph(
            "Overlapping executions", "Handlers that have timed out and still run, during the next request of "
            "their instance: two at once, so they may share what was meant for one.",
            [target(f"max(max_over_time({FUNCTION('lambda_overlapping_executions')}{RATE}))", "overlapping")], "short",
            thresholds=[(None, "green"), (1, "orange")]),
    ]


def cold_starts():
    return [
        graph(
            "Cold starts",
            "Invocations each second, and those among them that waited for an on-demand initialization.", [
                target(rate(FUNCTION, INVOCATIONS), "invocations"), target(rate(FUNCTION, COLD_STARTS), "cold starts"),
            ], "reqps", 8),
        graph(
            "Share of cold starts", "The share of invocations that waited for an on-demand initialization.",
            [target(share(rate(FUNCTION, COLD_STARTS), rate(FUNCTION, INVOCATIONS)), "cold")], "percentunit", 8,
            thresholds=COLD_SHARE, top=1),
        graph(
            "Initializations",
            "Instances initialized each second, by initialization type; those that failed or took too long; and warm-up hooks that failed.", [
                target(rate(FUNCTION, "lambda_initializations_total", "initialization_type"), "{{initialization_type}}"),
                target(rate(FUNCTION, "lambda_initialization_failures_total"), "failed"),
                target(rate(FUNCTION, "lambda_warmup_failures_total"), "warm-up failed"),
            ], "ops", 8),
        heatmap(
            "Initializations by duration", "How many initializations took how long, warm-up included.",
            buckets(FUNCTION, INITIALIZATION), "s"),
        heatmap("Warm-ups by duration", "How many warm-up hooks took how long.", buckets(FUNCTION, WARM_UP), "s"),
        graph(
            "Initialization", "From the start of an instance until it asks for its first event, warm-up included.", [
                target(quantile(q, FUNCTION, INITIALIZATION), f"p{int(100 * q)}") for q in (0.5, 0.95, 0.99)], "s"),
        graph(
            "Warm-up", "How long warm-up hooks took.", [
                target(quantile(q, FUNCTION, WARM_UP), f"p{int(100 * q)}") for q in (0.5, 0.95, 0.99)], "s"),
    ]


def durations():
    longest = peak(FUNCTION, "lambda_invocation_duration_max_seconds")
    timeout = now(FUNCTION, "lambda_timeout_seconds", operator="max")
    return [
        graph(
            "Duration against the timeout", "From the hand-over of an event to an instance until the answer, the "
            "timeout or the crash; max is the longest of each window.", [
                target(quantile(0.5, FUNCTION, DURATION), "p50"), target(quantile(0.95, FUNCTION, DURATION), "p95"),
                target(quantile(0.99, FUNCTION, DURATION), "p99", exemplar=True),
                target(mean(FUNCTION, DURATION), "mean"),
                target(longest, "max"), target(timeout, "timeout"),
            ], "s", limits=["timeout"]),
        heatmap("Invocations by duration", "How many invocations took how long.", buckets(FUNCTION, DURATION), "s"),
        graph(
            "Longest invocation of the timeout",
            "The longest invocation of each window, as a share of the timeout. At 100 % it was a 504.",
            [target(f"{longest} / {timeout}", "longest")], "percentunit", thresholds=NEAR_LIMIT),
        graph(
            "Billed time and concurrency-seconds", "Billed seconds each second, and the integral of concurrency each "
            "second, which is the mean number of executions in progress.", [
                target(rate(FUNCTION, "lambda_billed_seconds_total"), "billed"),
                target(rate(FUNCTION, "lambda_concurrency_seconds_total"), "concurrency"),
            ], "short"),
    ]


def instances():
    limit = now(FUNCTION, "lambda_memory_limit_bytes", operator="max")
    return [
        graph(
            "Instances by state",
            "Instances alive now. They initialize, wait for an invocation, or are busy with one; a busy one takes no other.",
            [target(now(FUNCTION, "lambda_instances", "state"), "{{state}}")], "short", 8, stacked=True),
        graph(
            "Instances",
            "The most instances alive at one instant of each window.",
            [target(peak(FUNCTION, "lambda_instances_max"), "instances (max)")], "short", 8),
        graph(
            "Instances that stopped", "Instances that stopped each second, by reason.",
            [target(rate(FUNCTION, "lambda_instance_stops_total", "reason"), "{{reason}}")], "ops", 8),
        graph(
            "Memory against its limit", "The most memory that an instance had used by the end of an invocation: the "
            "median, one of 20, and the largest of each window.", [
                target(quantile(0.5, FUNCTION, MEMORY), "p50"), target(quantile(0.95, FUNCTION, MEMORY), "p95"),
                target(peak(FUNCTION, "lambda_memory_used_max_bytes"), "max"), target(limit, "limit"),
            ], "bytes", limits=["limit"]),
        graph(
            "Memory of its limit",
            "The largest use of memory of each window, as a share of the limit. At 100 % the instance is ended.",
            [target(f"{peak(FUNCTION, 'lambda_memory_used_max_bytes')} / {limit}", "in use")], "percentunit",
            thresholds=NEAR_LIMIT, top=1),
        heatmap(
            "Invocations by memory", "How many invocations ended with how much memory used.",
            buckets(FUNCTION, MEMORY), "bytes"),
        graph(
            "Lifetime of instances", "How long instances that stopped had lived.", [
                target(quantile(0.5, FUNCTION, LIFETIME), "p50"), target(quantile(0.95, FUNCTION, LIFETIME), "p95")], "s"),
    ]


def provisioned():
    return [
        graph(
            "Provisioned concurrency", "Provisioned instances: requested, started (allocated) and ready (available).",
            [target(now(FUNCTION, "lambda_provisioned_concurrency", "state"), "{{state}}")], "short", 8, limits=["requested"],
            no_value="none"),
        graph(
            "Provisioned concurrency in use", "The largest share in use in each window. Under 60 % it costs more than "
            "it brings; at 100 % the next invocation spills over.",
            [target(peak(FUNCTION, "lambda_provisioned_concurrency_utilization_max"), "in use")], "percentunit", 8,
            thresholds=UTILIZATION, top=1, no_value="none"),
        graph(
            "Spillover", "Invocations each second: on provisioned concurrency, and on demand because it was used up.", [
                target(rate(FUNCTION, "lambda_provisioned_invocations_total"), "on provisioned concurrency"),
                target(rate(FUNCTION, "lambda_provisioned_spillover_invocations_total"), "spilled over"),
            ], "reqps", 8),
    ]
