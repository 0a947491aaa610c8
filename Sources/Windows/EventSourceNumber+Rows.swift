import Lifecycle

extension EventSourceNumber {
  /// From a millisecond to a day.
  private static let waitingBounds = ClassicBounds(
    .duration, [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400])

  static let ofQueues: [EventSourceNumber] = [
    EventSourceNumber(
      .count(.received), member: "received",
      columns: [Column(10, .count, "Queued", short: "Queued", field: "received")],
      metric: "lambda_queue_messages_received_total",
      help: "Messages that the queue took.",
      cloudWatch: "NumberOfMessagesSent"),
    EventSourceNumber(
      .count(.processed), member: "processed",
      columns: [Column(20, .count, "Processed", short: "Proc.", field: "processed")],
      metric: "lambda_queue_messages_processed_total",
      help: "Messages that a function or a consumer was done with.",
      cloudWatch: "NumberOfMessagesDeleted"),
    EventSourceNumber(
      .count(.retried), member: "retried", columns: [Column(30, .count, "Retried", short: "Retr.", field: "retried")],
      metric: "lambda_queue_messages_retried_total",
      help: "Deliveries of messages after their first."),
    EventSourceNumber(
      .count(.failed), member: "failed", columns: [Column(40, .count, "Failed", short: "Failed", field: "failed")],
      metric: "lambda_queue_messages_failed_total",
      help: "Deliveries that ended with an error of the function, timeouts not included."),
    EventSourceNumber(
      .count(.timedOut), member: "timedOut",
      columns: [Column(50, .count, "Timed out", short: "T.out", field: "timed_out")],
      metric: "lambda_queue_messages_timed_out_total",
      help: "Deliveries that ended with a timeout."),
    EventSourceNumber(
      .count(.deadLettered), member: "deadLettered",
      columns: [Column(60, .count, "Dead letters", short: "Dead", field: "dead_lettered")],
      metric: "lambda_queue_messages_dead_lettered_total",
      help: "Messages that were moved to a dead-letter queue."),
    EventSourceNumber(
      .count(.delivered), member: "delivered",
      metric: "lambda_queue_messages_delivered_total",
      help: "Messages that were handed to a function or a consumer, each delivery.",
      cloudWatch: "NumberOfMessagesReceived"),
    EventSourceNumber(
      .count(.throttled), member: "throttled",
      metric: "lambda_queue_messages_throttled_total",
      help: "Deliveries that were refused for lack of concurrency."),
    EventSourceNumber(
      .count(.deduplicated), member: "deduplicated",
      metric: "lambda_queue_messages_deduplicated_total",
      help: "Messages that the queue had within five minutes already, and answered with the id of the first.",
      cloudWatch: "NumberOfDeduplicatedSentMessages"),
    EventSourceNumber(
      .count(.dropped), member: "dropped",
      metric: "lambda_queue_messages_dropped_total",
      help: "Messages that were dropped because of their age, or because nothing takes dead letters."),
    EventSourceNumber(
      .level(.inFlight), member: "inFlightMax",
      columns: [Column(70, .maximum, "In flight (max)", short: "Flight", field: "in_flight_max")],
      metric: "lambda_queue_messages_in_flight", maximum: "lambda_queue_messages_in_flight_max",
      help: "Messages that a function or a consumer has now.",
      maximumHelp:
        "The most messages that a function or a consumer has at one instant of the last closed window of {window} s.",
      cloudWatch: "ApproximateNumberOfMessagesNotVisible"),
    EventSourceNumber(
      .level(.groupsInFlight), member: "groupsInFlightMax",
      columns: [Column(80, .maximum, "Groups (max)", short: "Groups", field: "groups_in_flight_max")],
      metric: "lambda_queue_groups_in_flight", maximum: "lambda_queue_groups_in_flight_max",
      help: "Groups of a FIFO queue of which a message is in flight now.",
      maximumHelp:
        "The most groups of a FIFO queue of which a message is in flight at one instant of the last closed window of {window} s.",
      cloudWatch: "ApproximateNumberOfGroupsWithInflightMessages"),
    EventSourceNumber(
      .level(.waiting), member: "waitingMax",
      columns: [Column(90, .maximum, "Depth (max)", short: "Depth", field: "waiting_max")],
      metric: "lambda_queue_messages_waiting", maximum: "lambda_queue_messages_waiting_max",
      help: "Messages that could be delivered now.",
      maximumHelp: "The most messages that could be delivered at one instant of the last closed window of {window} s.",
      cloudWatch: "ApproximateNumberOfMessagesVisible"),
    EventSourceNumber(
      .level(.delayed), member: "delayedMax",
      metric: "lambda_queue_messages_delayed", maximum: "lambda_queue_messages_delayed_max",
      help: "Messages that wait for a time now.",
      maximumHelp: "The most messages that wait for a time at one instant of the last closed window of {window} s.",
      cloudWatch: "ApproximateNumberOfMessagesDelayed"),
    EventSourceNumber(
      .oldestAge, member: "oldestAgeMax",
      columns: [Column(91, .maximum, "Oldest (max)", short: "Oldest", field: "oldest_age_max_seconds")],
      metric: "lambda_queue_oldest_message_age_seconds", maximum: "lambda_queue_oldest_message_age_max_seconds",
      help: "How long the oldest message has waited; 0 if none waits.",
      maximumHelp: "How long the oldest message had waited at most in the last closed window of {window} s.",
      cloudWatch: "ApproximateAgeOfOldestMessage"),
    EventSourceNumber(
      .distribution(.waiting), member: "waiting",
      columns: [
        Column(92, .mean, "Waiting avg", short: "Wait", name: "Waiting (avg)", field: "waiting_avg_seconds"),
        Column(93, .maximum, "max", short: "max", name: "Waiting (max)", field: "waiting_max_seconds"),
      ],
      metric: "lambda_queue_waiting_seconds",
      help: "Time from when a message could first be delivered until it was.",
      bounds: waitingBounds),
    EventSourceNumber(
      .distribution(.processing), member: "processing",
      metric: "lambda_queue_processing_seconds",
      help: "Time from a delivery until its end.",
      bounds: waitingBounds),
  ]

  static let ofSchedules: [EventSourceNumber] = [
    EventSourceNumber(
      .count(.delivered), member: "delivered",
      columns: [Column(10, .count, "Invoked", short: "Inv.", field: "delivered")],
      metric: "lambda_schedule_runs_total",
      help: "Runs that were handed to the function, each attempt.",
      cloudWatch: "Invocations (AWS/Events)"),
    EventSourceNumber(
      .count(.failed), member: "failed", columns: [Column(20, .count, "Failed", short: "Failed", field: "failed")],
      metric: "lambda_schedule_runs_failed_total",
      help: "Runs that ended with an error of the function, timeouts not included.",
      cloudWatch: "FailedInvocations (AWS/Events)"),
    EventSourceNumber(
      .count(.timedOut), member: "timedOut",
      columns: [Column(30, .count, "Timed out", short: "T.out", field: "timed_out")],
      metric: "lambda_schedule_runs_timed_out_total",
      help: "Runs that ended with a timeout."),
    EventSourceNumber(
      .count(.skipped), member: "skipped", columns: [Column(40, .count, "Skipped", short: "Skip", field: "skipped")],
      metric: "lambda_schedule_runs_skipped_total",
      help: "Runs that were left out because the last one had not ended."),
    EventSourceNumber(
      .count(.missed), member: "missed", columns: [Column(50, .count, "Missed", short: "Missed", field: "missed")],
      metric: "lambda_schedule_runs_missed_total",
      help: "Runs that came late because no host ran at their time."),
    EventSourceNumber(
      .count(.received), member: "received",
      metric: "lambda_schedule_times_total",
      help: "Times of the schedule that came.",
      cloudWatch: "TriggeredRules (AWS/Events)"),
    EventSourceNumber(
      .count(.processed), member: "processed",
      metric: "lambda_schedule_runs_processed_total",
      help: "Runs that the function ended without an error."),
    EventSourceNumber(
      .count(.throttled), member: "throttled",
      metric: "lambda_schedule_runs_throttled_total",
      help: "Runs that were refused for lack of concurrency.",
      cloudWatch: "ThrottledRules (AWS/Events)"),
    EventSourceNumber(
      .count(.retried), member: "retried",
      metric: "lambda_schedule_runs_retried_total",
      help: "Attempts of runs after their first."),
    EventSourceNumber(
      .count(.deadLettered), member: "deadLettered",
      metric: "lambda_schedule_runs_dead_lettered_total",
      help: "Runs whose event was sent to a destination for failures."),
    EventSourceNumber(
      .count(.dropped), member: "dropped",
      metric: "lambda_schedule_runs_dropped_total",
      help: "Runs that were given up.",
      cloudWatch: "InvocationDroppedCount (AWS/Scheduler)"),
    EventSourceNumber(
      .level(.inFlight), member: "inFlightMax",
      metric: "lambda_schedule_runs_in_progress", maximum: "lambda_schedule_runs_in_progress_max",
      help: "Runs in progress now.",
      maximumHelp: "The most runs in progress at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .distribution(.waiting), member: "waiting",
      columns: [
        Column(60, .mean, "Late avg", short: "Late", name: "Late (avg)", field: "lateness_avg_seconds"),
        Column(61, .maximum, "max", short: "max", name: "Late (max)", field: "lateness_max_seconds"),
      ],
      metric: "lambda_schedule_lateness_seconds",
      help: "Time from a time of the schedule until its run was handed over.",
      bounds: waitingBounds),
    EventSourceNumber(
      .distribution(.processing), member: "processing",
      metric: "lambda_schedule_run_seconds",
      help: "Time from the hand-over of a run until its end.",
      bounds: waitingBounds),
  ]

  static let ofWebSockets: [EventSourceNumber] = [
    EventSourceNumber(
      .count(.connected), member: "connected",
      columns: [Column(10, .count, "Connections", short: "Conn.", field: "connected")],
      metric: "lambda_websocket_connections_opened_total",
      help: "Connections that were accepted.",
      cloudWatch: "ConnectCount (AWS/ApiGateway)"),
    EventSourceNumber(
      .count(.received), member: "received",
      columns: [Column(30, .count, "Messages", short: "Mess.", field: "received")],
      metric: "lambda_websocket_messages_received_total",
      help: "Messages that came from clients.",
      cloudWatch: "MessageCount (AWS/ApiGateway)"),
    EventSourceNumber(
      .count(.failed), member: "failed", columns: [Column(40, .count, "Errors", short: "Errors", field: "failed")],
      metric: "lambda_websocket_messages_failed_total",
      help: "Messages whose invocation ended with an error, timeouts not included.",
      cloudWatch: "ExecutionError (AWS/ApiGateway)"),
    EventSourceNumber(
      .count(.timedOut), member: "timedOut",
      columns: [Column(50, .count, "Timed out", short: "T.out", field: "timed_out")],
      metric: "lambda_websocket_messages_timed_out_total",
      help: "Messages whose invocation timed out."),
    EventSourceNumber(
      .count(.delivered), member: "delivered",
      metric: "lambda_websocket_messages_delivered_total",
      help: "Messages that were handed to the function."),
    EventSourceNumber(
      .count(.processed), member: "processed",
      metric: "lambda_websocket_messages_processed_total",
      help: "Messages that the function answered."),
    EventSourceNumber(
      .count(.throttled), member: "throttled",
      metric: "lambda_websocket_messages_throttled_total",
      help: "Messages that were refused for lack of concurrency."),
    EventSourceNumber(
      .count(.sent), member: "sent",
      metric: "lambda_websocket_messages_sent_total",
      help: "Messages that were sent to clients."),
    EventSourceNumber(
      .count(.refused), member: "refused",
      metric: "lambda_websocket_connections_refused_total",
      help: "Connections that were refused."),
    EventSourceNumber(
      .count(.disconnected), member: "disconnected",
      metric: "lambda_websocket_connections_closed_total",
      help: "Connections that ended."),
    EventSourceNumber(
      .level(.connections), member: "connectionsMax",
      columns: [Column(20, .maximum, "Connections (max)", short: "Open", field: "connections_max")],
      metric: "lambda_websocket_connections", maximum: "lambda_websocket_connections_max",
      help: "Open connections now.",
      maximumHelp: "The most open connections at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .level(.inFlight), member: "inFlightMax",
      metric: "lambda_websocket_messages_in_flight", maximum: "lambda_websocket_messages_in_flight_max",
      help: "Messages that the function has now.",
      maximumHelp: "The most messages that the function has at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .distribution(.processing), member: "processing",
      columns: [
        Column(
          60, .mean, "Response time avg", short: "Resp.", name: "Response time (avg)", field: "response_avg_seconds"),
        Column(61, .maximum, "max", short: "max", name: "Response time (max)", field: "response_max_seconds"),
      ],
      metric: "lambda_websocket_response_seconds",
      help: "Time from the hand-over of a message until its end.",
      cloudWatch: "IntegrationLatency (AWS/ApiGateway)",
      bounds: waitingBounds),
    EventSourceNumber(
      .distribution(.connection), member: "connection",
      metric: "lambda_websocket_connection_seconds",
      help: "Time from the opening of a connection until its end.",
      bounds: waitingBounds),
  ]

  static let ofAsynchronousInvocations: [EventSourceNumber] = [
    EventSourceNumber(
      .count(.received), member: "received",
      columns: [Column(10, .count, "Queued", short: "Queued", field: "received")],
      metric: "lambda_asynchronous_events_received_total",
      help: "Asynchronous invocations that were accepted.",
      cloudWatch: "AsyncEventsReceived"),
    EventSourceNumber(
      .count(.processed), member: "processed",
      columns: [Column(20, .count, "Processed", short: "Proc.", field: "processed")],
      metric: "lambda_asynchronous_events_processed_total",
      help: "Asynchronous invocations that the function was done with."),
    EventSourceNumber(
      .count(.retried), member: "retried", columns: [Column(30, .count, "Retried", short: "Retr.", field: "retried")],
      metric: "lambda_asynchronous_events_retried_total",
      help: "Attempts of asynchronous invocations after their first."),
    EventSourceNumber(
      .count(.failed), member: "failed", columns: [Column(40, .count, "Failed", short: "Failed", field: "failed")],
      metric: "lambda_asynchronous_events_failed_total",
      help: "Attempts that ended with an error of the function, timeouts not included."),
    EventSourceNumber(
      .count(.timedOut), member: "timedOut",
      columns: [Column(50, .count, "Timed out", short: "T.out", field: "timed_out")],
      metric: "lambda_asynchronous_events_timed_out_total",
      help: "Attempts that ended with a timeout."),
    EventSourceNumber(
      .count(.deadLettered), member: "deadLettered",
      columns: [Column(60, .count, "Dead letters", short: "Dead", field: "dead_lettered")],
      metric: "lambda_asynchronous_events_dead_lettered_total",
      help: "Events that were sent to a destination for failures."),
    EventSourceNumber(
      .count(.delivered), member: "delivered",
      metric: "lambda_asynchronous_events_delivered_total",
      help: "Events that were handed to the function, each attempt."),
    EventSourceNumber(
      .count(.throttled), member: "throttled",
      metric: "lambda_asynchronous_events_throttled_total",
      help: "Attempts that were refused for lack of concurrency."),
    EventSourceNumber(
      .count(.dropped), member: "dropped",
      metric: "lambda_asynchronous_events_dropped_total",
      help: "Events that were given up without the function being done with them.",
      cloudWatch: "AsyncEventsDropped"),
    EventSourceNumber(
      .level(.inFlight), member: "inFlightMax",
      columns: [Column(70, .maximum, "In flight (max)", short: "Flight", field: "in_flight_max")],
      metric: "lambda_asynchronous_events_in_flight", maximum: "lambda_asynchronous_events_in_flight_max",
      help: "Events that the function has now.",
      maximumHelp: "The most events that the function has at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .level(.waiting), member: "waitingMax",
      columns: [Column(90, .maximum, "Depth (max)", short: "Depth", field: "waiting_max")],
      metric: "lambda_asynchronous_events_waiting", maximum: "lambda_asynchronous_events_waiting_max",
      help: "Events that could be handed over now.",
      maximumHelp: "The most events that could be handed over at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .level(.delayed), member: "delayedMax",
      metric: "lambda_asynchronous_events_delayed", maximum: "lambda_asynchronous_events_delayed_max",
      help: "Events that wait for a time now.",
      maximumHelp: "The most events that wait for a time at one instant of the last closed window of {window} s."),
    EventSourceNumber(
      .oldestAge, member: "oldestAgeMax",
      columns: [Column(91, .maximum, "Oldest (max)", short: "Oldest", field: "oldest_age_max_seconds")],
      metric: "lambda_asynchronous_oldest_event_age_seconds",
      maximum: "lambda_asynchronous_oldest_event_age_max_seconds",
      help: "How long the oldest event has waited; 0 if none waits.",
      maximumHelp: "How long the oldest event had waited at most in the last closed window of {window} s."),
    EventSourceNumber(
      .distribution(.waiting), member: "waiting",
      columns: [
        Column(92, .mean, "Waiting avg", short: "Wait", name: "Waiting (avg)", field: "waiting_avg_seconds"),
        Column(93, .maximum, "max", short: "max", name: "Waiting (max)", field: "waiting_max_seconds"),
      ],
      metric: "lambda_asynchronous_waiting_seconds",
      help: "Time from when an event could first be handed over until it was.",
      cloudWatch: "AsyncEventAge",
      bounds: waitingBounds),
    EventSourceNumber(
      .distribution(.processing), member: "processing",
      metric: "lambda_asynchronous_processing_seconds",
      help: "Time from the hand-over of an event until its end.",
      bounds: waitingBounds),
  ]
}
