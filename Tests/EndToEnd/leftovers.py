"""What a host could leave behind on this machine: mounts, control groups, folders. Processes are kelvin_host's concern.

Control groups and folders have random names, and are locked by the host that they belong to: those that nobody holds are left over.
"""
import fcntl
import os
import re
from pathlib import Path

NAME = re.compile(r"kelvin-[0-9a-f]{32}")


def control_group_folders():
    """Where hosts make their groups: the memory and the pids group of this process."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, group = line.split(":", 2)
        if number == "0" and not names:
            kind = "cgroup2"
        else:
            kind = next((name for name in ("memory", "pids") if name in names.split(",")), None)
        if kind is None:
            continue
        for mount in Path("/proc/self/mountinfo").read_text().splitlines():
            fields, options = mount.split(" - ")
            fields, options = fields.split(" "), options.split(" ")
            if kind == options[0] or options[0] == "cgroup" and kind in options[2].split(","):
                found.append(Path(fields[4] + group))
    return found


def of_hosts(folder):
    return [path for path in Path(folder).glob("kelvin-*") if NAME.fullmatch(path.name)]


def control_groups():
    return [path for folder in control_group_folders() for path in of_hosts(folder)]


def temporary_folders():
    return [path for folder in {os.environ.get("TMPDIR", "/tmp"), "/tmp"} for path in of_hosts(folder)]


def mounts():
    """The mounts of sandboxes that this process can see: none, if all is well."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " kelvin " in line]


def is_held(path):
    """Whether a host that lives holds it, or it is another user's, or gone."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(folder)


def found():
    """All that is there and belongs to no host any more."""
    return [str(path) for path in control_groups() + temporary_folders() if not is_held(path)] + mounts()
