"""A function for awslambdaric that does to its folder for temporary files what it should not: {"do": "…", "target": "…"}."""
import ctypes
import os

EXCHANGE = 2
AT_FDCWD = -100


def exchange(one, other):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def deep(folder, depth):
    """A tree deeper than any path: each folder is made inside the one before."""
    current = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("deeper-and-deeper", dir_fd=current)
        below = os.open("deeper-and-deeper", os.O_RDONLY | os.O_DIRECTORY, dir_fd=current)
        os.close(current)
        current = below
    os.close(current)


def handler(event, context):
    what, target, folder = event.get("do"), event.get("target"), os.environ.get("TMPDIR", "/tmp")
    if what == "link":
        os.rename(folder, folder + "-was")
        os.symlink(target, folder)
    if what == "exchange":
        # A link that is made elsewhere, then put there in one step.
        os.symlink(target, folder + "-link")
        exchange(folder + "-link", folder)
    if what == "inside":
        os.symlink(target, folder + "/link")
        os.mkdir(folder + "/closed", 0o700)
        os.symlink(target, folder + "/closed/link")
        os.chmod(folder + "/closed", 0)
    if what == "deep":
        deep(folder, event["depth"])
    if what == "pieces":
        for number in range(event["count"]):
            os.mkdir(f"{folder}/{number}")
    return {"folder": folder, "instance": context.log_stream_name}
