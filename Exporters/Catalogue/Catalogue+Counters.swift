import Lifecycle
import Windows

extension Catalogue {
  /// Counts of a function since Kelvin first saw it.
  static let counters: [MetricFamily] = [
    .counter(
      "lambda_invocations_total", by: "trigger", help: "Finished invocations, by trigger.",
      cloudWatch: "Invocations", openTelemetry: "faas.invocations", { $0[$1].totals.invocations }),
    .counter(
      "lambda_errors_total", help: "Invocations that failed, including timeouts and crashes.",
      cloudWatch: "Errors", openTelemetry: "faas.errors", { $0[$1].totals.errors }),
    .counter(
      "lambda_timeouts_total", by: "source",
      help: "Invocations whose caller got a 504, by the source of the timeout. They are errors, too.",
      openTelemetry: "faas.timeouts", { $0[$1].totals.timeouts }),
    .counter(
      "lambda_crashes_total", help: "Invocations that ended because the process of their instance exited.",
      { $0[$1].totals.crashes }),
    .counter(
      "lambda_out_of_memory_total", help: "Invocations that ended because their instance exceeded its memory limit.",
      { $0[$1].totals.outOfMemory }),
    .counter(
      "lambda_throttles_total", by: "reason",
      help: "Invocations refused because of a concurrency or rate limit. They count as neither invocations nor errors.",
      cloudWatch: "Throttles", { $0[$1].totals.throttles }),
    .counter(
      "lambda_cold_starts_total", help: "Invocations that had to wait for an on-demand initialization.",
      openTelemetry: "faas.coldstarts",
      exemplar: { functions, position, _ in functions[position].exemplars.coldStart }, { $0[$1].totals.coldStarts }),
    .counter(
      "lambda_initializations_total", by: "initialization_type",
      help: "Initializations of instances, by initialization type.", { $0[$1].totals.initializations }),
    .counter(
      "lambda_initialization_failures_total",
      help: "Initializations that ended in an error or exceeded their time limit.",
      { $0[$1].totals.initializationFailures }),
    .counter("lambda_warmup_failures_total", help: "Warm-up hooks that failed.", { $0[$1].totals.warmUpFailures }),
    .counter(
      "lambda_provisioned_invocations_total", help: "Invocations that ran on provisioned concurrency.",
      cloudWatch: "ProvisionedConcurrencyInvocations", { $0[$1].totals.provisionedInvocations }),
    .counter(
      "lambda_provisioned_spillover_invocations_total",
      help: "Invocations that ran on demand because provisioned concurrency was used up.",
      cloudWatch: "ProvisionedConcurrencySpilloverInvocations", { $0[$1].totals.spilloverInvocations }),
    .counter(
      "lambda_instance_stops_total", by: "reason", help: "Instances that stopped, by reason.",
      { $0[$1].totals.instanceStops }),
    .secondsCounter(
      "lambda_concurrency_seconds_total",
      help: "The integral of concurrency over time; its rate is the mean number of executions in progress.",
      { $0[$1].concurrencyNanoseconds }),
    .secondsCounter("lambda_billed_seconds_total", help: "Billed time.", { $0[$1].totals.billedNanoseconds }),
  ]
}
