"""What no reader may see go down: every counter that is not about one process."""
# Those of one process begin at 0 with each.
OF_A_PROCESS = ("process_", "kelvin_http_", "kelvin_host_", "kelvin_checkpoint", "kelvin_store_", "kelvin_journal_",
                "kelvin_clock_", "kelvin_batches", "kelvin_duplicate_batches", "kelvin_refused_batches", "kelvin_source_",
                "kelvin_dropped_")


def counters(metrics):
    """The counters of a scrape, with the buckets, counts and sums of histograms."""
    return {
        key: value for key, value in metrics.values.items()
        if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and not key[0].startswith(OF_A_PROCESS)}


class Watch:
    """Compares each scrape with the one before."""

    def __init__(self):
        self.seen = {}
        self.scrapes = 0
        self.problems = []

    def look(self, metrics):
        self.scrapes += 1
        now = counters(metrics)
        for key, before in self.seen.items():
            if now.get(key, -1) < before:
                self.problems.append(f"scrape {self.scrapes}: {key[0]}{dict(key[1])} went from {before} to {now.get(key)}")
        self.seen.update(now)
