"""A command on a terminal of its own, and what a person sees there."""
import copy
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

ALTERNATE = 1049


class Screen(pyte.Screen):
    """pyte's, with the alternate screen that it lacks."""

    kept = None

    def set_mode(self, *modes, **options):
        super().set_mode(*modes, **options)
        if options.get("private") and ALTERNATE in modes:
            self.kept = copy.deepcopy(self.buffer), copy.copy(self.cursor)
            self.erase_in_display(2)
            self.cursor_position()

    def reset_mode(self, *modes, **options):
        super().reset_mode(*modes, **options)
        if options.get("private") and ALTERNATE in modes and self.kept:
            self.buffer, self.cursor = self.kept
            self.kept = None


class TerminalProgram:
    """A program whose standard input, output and error are a terminal of a given size."""

    PROMPT = "$ kelvin"

    def __init__(self, command, cwd, environment, columns=80, rows=24):
        self.controller, self.terminal = pty.openpty()
        self.settings = termios.tcgetattr(self.terminal)
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(self.PROMPT.encode() + b"\r\n")
        self.before = self.lines()
        self.raw = b""
        self.set_size(columns, rows)
        self.process = subprocess.Popen(
            list(map(str, command)), cwd=cwd, env=environment, stdin=self.terminal, stdout=self.terminal,
            stderr=self.terminal, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self.controller)
        os.close(self.terminal)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """As a person who drags a corner: the system tells the program."""
        self.take()
        self.screen.resize(rows, columns)
        self.set_size(columns, rows)

    def take(self, seconds=0):
        """Takes what the program has written."""
        while select.select([self.controller], [], [], seconds)[0]:
            data = os.read(self.controller, 65536)
            self.raw += data
            self.stream.feed(data)
            seconds = 0

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        self.take()
        return "\n".join(self.lines())

    def line(self, start):
        """The first line that begins so."""
        return next((line for line in self.text().splitlines() if line.startswith(start)), None)

    def colours(self, text):
        """The colours of a text on the screen, at its first place."""
        for row, line in enumerate(self.screen.display):
            column = line.find(text)
            if column >= 0:
                return {self.screen.buffer[row][column + index].fg for index in range(len(text))}
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")

    def shows(self, condition, seconds=20):
        """Waits until what is seen is so; a text has to be there."""
        def is_so():
            return condition in self.text() if isinstance(condition, str) else condition(self)

        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"not within {seconds} s: {condition}; it shows:\n{self.text()}"
            assert self.process.poll() is None or is_so(), f"it ended: {self.process.returncode}\n{self.text()}"
            self.take(0.02)
        return self

    def press(self, keys):
        os.write(self.controller, keys)

    def ends(self, seconds=20):
        """Waits for its end; its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.text()}"
            self.take(0.02)
        self.take()
        return self.process.returncode

    def is_as_before(self):
        """Whether the terminal is in the modes that it was in, with the text that it had, and a cursor."""
        assert termios.tcgetattr(self.terminal) == self.settings
        assert pyte.modes.DECTCEM in self.screen.mode and pyte.modes.DECAWM in self.screen.mode
        assert not self.screen.cursor.hidden
        return self.lines()[:2] == self.before[:2]
