"""What a host could leave behind on this machine: mounts, control groups, folders. Processes are kelvin_host's concern."""
import os
import re
from pathlib import Path


def control_groups():
    """The folders of hosts in the memory group of this process."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, group = line.split(":", 2)
        kind = "cgroup2" if number == "0" and not names else "memory" if "memory" in names.split(",") else None
        if kind is None:
            continue
        for mount in Path("/proc/self/mountinfo").read_text().splitlines():
            fields, options = mount.split(" - ")
            fields, options = fields.split(" "), options.split(" ")
            if kind == options[0] or options[0] == "cgroup" and kind in options[2].split(","):
                folder = Path(fields[4] + group)
                found += [str(path) for path in folder.glob("kelvin-*")]
    return found


def mounts():
    """The mounts of sandboxes that this process can see: none, if all is well."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " kelvin " in line]


def temporary_folders():
    folders = {os.environ.get("TMPDIR", "/tmp"), "/tmp"}
    return [str(path) for folder in folders for path in Path(folder).glob("kelvin-*-*")
            if re.fullmatch(r"kelvin-\d+-\d+(-\d+)?", path.name)]


def of(process):
    """All that belongs to the host with this process id."""
    mark = f"kelvin-{process}-"
    return [path for path in control_groups() + temporary_folders() if mark in path] + mounts()
