"""How the agent itself is: the same row on both dashboards, once for each agent."""
from grafana import ANY_IS_BAD, ANY_IS_WORTH_A_LOOK, NEAR_LIMIT, Row, graph, stat, target
from queries import ACCOUNT, RATE, increase, now, peak, rate


def agent_row():
    return Row("Kelvin at $instance", [*answers(), *events(), *store(), *process()], collapsed=True, repeat="instance")


def answers():
    return [
        stat(
            "Scrapes answered",
            "The share of scrapes that the agent answered. Scrapes that fail are missing in all other panels.",
            f"min(avg_over_time({ACCOUNT('up')}[$__range]))", "percentunit", [(None, "red"), (0.9, "orange"), (0.99, "green")]),
        stat(
            "Up for", "The time since the agent started. Counters continue after a restart.",
            f"time() - max({ACCOUNT('process_start_time_seconds')})", "s"),
        stat(
            "Functions",
            "How full the table of functions is. Events of functions beyond its limit are counted as the function _other.",
            f"max({ACCOUNT('kelvin_functions')} / {ACCOUNT('kelvin_functions_limit')})", "percentunit", NEAR_LIMIT),
        stat(
            "Events not counted", "Events that were rejected, dropped or late in the time that is shown. Late ones "
            "count in totals and sums, but not in maxima.",
            " + ".join(increase(ACCOUNT, f"kelvin_{kind}_events_total") for kind in ("rejected", "dropped", "late")),
            "short", ANY_IS_WORTH_A_LOOK, decimals=0),
        stat(
            "Lost windows and executions", "Final windows that could not be written to the store, and executions "
            "whose end was never reported, in the time that is shown.",
            f"{increase(ACCOUNT, 'kelvin_lost_windows_total')} + {increase(ACCOUNT, 'kelvin_lost_executions_total')}",
            "short", ANY_IS_BAD, decimals=0),
        stat(
            "Failed checkpoints",
            "Checkpoints that could not be written in the time that is shown. What they held goes into the next.",
            f"{increase(ACCOUNT, 'kelvin_checkpoint_failures_total')} or vector(0)", "short", ANY_IS_BAD, decimals=0),
    ]


def events():
    depth = ACCOUNT("kelvin_event_queue_depth")
    return [
        graph(
            "Events", "Lifecycle events that arrive each second, and those that were ignored because they had been counted before.", [
                target(rate(ACCOUNT, "kelvin_events_received_total"), "received"),
                target(rate(ACCOUNT, "kelvin_duplicate_events_total"), "duplicates"),
            ], "cps", 8),
        graph(
            "Events that are not counted in full", "Rejected: invalid, by reason. Dropped: the queue was full. Late: "
            "their window was final. Lost: executions whose end was never reported.", [
                target(rate(ACCOUNT, "kelvin_rejected_events_total", "reason"), "rejected: {{reason}}"),
                target(rate(ACCOUNT, "kelvin_dropped_events_total"), "dropped"),
                target(rate(ACCOUNT, "kelvin_late_events_total"), "late"),
                target(rate(ACCOUNT, "kelvin_lost_executions_total"), "lost executions"),
                target(rate(ACCOUNT, "kelvin_lost_windows_total"), "lost windows"),
            ], "cps", 8),
        graph(
            "Queue", "Events that wait to be counted, as a share of what may wait. A full queue drops events.",
            [target(f"max(max_over_time({depth}{RATE}) / {ACCOUNT('kelvin_event_queue_limit')})", "waiting")],
            "percentunit", 8, thresholds=NEAR_LIMIT, top=1),
    ]


def store():
    return [
        graph(
            "Checkpoints", "Checkpoints each second, and those that failed. Without a store there are none.", [
                target(f"{rate(ACCOUNT, 'kelvin_checkpoints_total')} or vector(0)", "written"),
                target(f"{rate(ACCOUNT, 'kelvin_checkpoint_failures_total')} or vector(0)", "failed"),
            ], "ops", 8),
        graph(
            "Age and length of the last checkpoint",
            "What is younger than the last checkpoint is lost if the machine fails.", [
                target(f"time() - max({ACCOUNT('kelvin_last_checkpoint_timestamp_seconds')})", "age"),
                target(peak(ACCOUNT, "kelvin_last_checkpoint_duration_seconds"), "length"),
            ], "s", 8),
        graph(
            "Age of the last closed window", "The time since the end of the window that gauges of the last closed "
            "window tell of. It goes from 1 s to a little over the length of a window, and starts over; if it keeps "
            "rising, the agent hangs.",
            [target(f"time() - max({ACCOUNT('lambda_window_end_timestamp_seconds')})", "age")], "s", 8),
    ]


def process():
    return [
        graph(
            "Processor", "Processor time of the agent's process; 1 is one processor at work. With kelvin host, this "
            "is the host's, too, without that of the functions.",
            [target(rate(ACCOUNT, "process_cpu_seconds_total"), "processors")], "short", 8),
        graph(
            "Memory", "Memory of the agent's process. It grows with the number of functions, not with traffic.", [
                target(now(ACCOUNT, "process_resident_memory_bytes"), "resident"),
                target(now(ACCOUNT, "process_virtual_memory_bytes"), "virtual"),
            ], "bytes", 8),
        graph(
            "Open files and threads", "File descriptors and threads of the agent's process.", [
                target(now(ACCOUNT, "process_open_fds"), "open files"),
                target(now(ACCOUNT, "process_threads"), "threads"),
            ], "short", 8),
    ]
