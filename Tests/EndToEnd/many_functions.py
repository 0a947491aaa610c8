r"""Makes a store of many functions out of one that a real run has left.

The names of functions come from kelvin.yaml, which takes letters, digits, - and _ only; an AWS endpoint takes no others either. So a
store is the one way in which a hostile name reaches an exposition, and here it is taken: the rows of a function are written again
under other names, as docs/formats/store.md describes them. (Texts that Unicode calls canonically equal, such as \u00e9 and e with \u0301,
are one function to Kelvin, so only one of them is here.)
"""
import contextlib
import sqlite3

HOSTILE = [
    'quo"te', "back\\slash", "new\nline", 'all\\"\n\\\\""\n\n', "\\n", "\\", '"', "\n", " ", "  blanks  ", "tab\there",
    "carriage\rreturn", "ünïcödé-関数-🦀", "next\u0085line", "line\u2028separator", "\x01\x1b[31m", "\u202eright to left",
    "{}", '{function="x"} 1', 'a" # {request_id="x"} 1', "# EOF", "# TYPE x counter", "a,b=c", "NaN", "e\u0301",
    "x" * 140,
]


def copy_store(source, target):
    """A copy of a store that may be in use."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other)


def repeat_function(path, name, others):
    """Writes the totals of a function again under other names; each is a name, or a name and a version."""
    pairs = [(other, "$LATEST") if isinstance(other, str) else other for other in others]
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        ((number, data),) = database.execute(
            "SELECT id, data FROM totals JOIN functions ON id = function WHERE name = ? AND version = '$LATEST'", (name,))
        first = 1 + database.execute("SELECT max(id) FROM functions").fetchone()[0]
        assert number < first
        numbers = range(first, first + len(pairs))
        database.executemany(
            "INSERT INTO functions (id, name, version) VALUES (?, ?, ?)",
            ((number, *pair) for number, pair in zip(numbers, pairs)))
        database.executemany(
            "INSERT INTO totals (function, data) VALUES (?, ?)", ((number, data) for number in numbers))
