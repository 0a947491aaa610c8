"""As much of PromQL as it takes to look over an expression: its series, and what is done to them; and Grafana's variables."""
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>\d[\w.]*)"""
    r"""|(?P<name>[A-Za-z_:][\w:]*)|(?P<variable>\$\w+|\$\{[^}]*\})|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],@])""")
LABELS_FOLLOW = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = LABELS_FOLLOW | {"and", "or", "unless", "offset", "bool", "atan2", "inf", "nan"}
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}")


@dataclass
class Selector:
    """A name of series with its matchers, the range behind it, and the calls around it, outermost first."""
    metric: str
    matchers: dict
    range: str
    calls: tuple


def tokens(expression):
    position, found = 0, []
    while position < len(expression):
        match = TOKEN.match(expression, position)
        if match is None:
            raise ValueError(f"{expression[position:position + 20]!r} is no PromQL")
        if match.lastgroup != "space":
            found.append((match.lastgroup, match.group()))
        position = match.end()
    return found


def closing(found, start, end_sign):
    for index in range(start, len(found)):
        if found[index] == ("sign", end_sign):
            return index
    raise ValueError(f"{end_sign} is missing")


def matchers_of(found):
    """`(operator, value)` by label, of the tokens between two braces."""
    parts, result = [token for token in found if token != ("sign", ",")], {}
    if len(parts) % 3:
        raise ValueError(f"{parts} are no matchers")
    for label, operator, value in zip(parts[::3], parts[1::3], parts[2::3]):
        result[label[1]] = (operator[1], value[1][1:-1])
    return result


def selectors(expression):
    """Every selector of an expression, in order."""
    found, result, calls, called, index = tokens(expression), [], [], None, 0
    while index < len(found):
        kind, text = found[index]
        follows = found[index + 1] if index + 1 < len(found) else None
        if kind == "name" and text.lower() in LABELS_FOLLOW:
            index = closing(found, index, ")")
        elif kind == "name" and text.lower() in WORDS:
            called = None
        elif kind == "name" and (follows == ("sign", "(") or follows and follows[1] in ("by", "without")):
            called = text
        elif kind == "name":
            selector, index = selector_at(found, index, tuple(call for call in calls if call))
            result.append(selector)
        elif text == "(":
            calls.append(called)
            called = None
        elif text == ")":
            if not calls:
                raise ValueError("a ) is too many")
            calls.pop()
        index += 1
    if calls:
        raise ValueError("a ) is missing")
    return result


def selector_at(found, index, calls):
    """The selector that begins here, and the index of its last token."""
    metric, matchers, span = found[index][1], {}, ""
    if index + 1 < len(found) and found[index + 1] == ("sign", "{"):
        end = closing(found, index, "}")
        matchers, index = matchers_of(found[index + 2:end]), end
    if index + 1 < len(found) and found[index + 1] == ("sign", "["):
        end = closing(found, index, "]")
        span, index = "".join(text for _, text in found[index + 2:end]), end
    return Selector(metric, matchers, span, calls), index


def variables(text):
    """The names of the variables in a text of a dashboard."""
    return {first or second for first, second in VARIABLE.findall(text)}


def interpolate(expression, values):
    """As Grafana puts variables into PromQL: a text as it is, a list (of a variable that takes several) as alternatives."""
    def put(match):
        value = values[match[1] or match[2]]
        if isinstance(value, str):
            return value
        escaped = [escape(one) for one in value]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return VARIABLE.sub(put, expression)


def escape(value):
    """A value in a regular expression in a string of PromQL."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))
