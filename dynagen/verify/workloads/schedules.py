"""When a CronJob runs: a text in, what is wrong with it out, or nothing.

Source: parser.go and spec.go of robfig/cron v3.0.1 (ParseStandard), validateScheduleFormat and validateTimeZone in
pkg/apis/batch/validation/validation.go of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dynagen.diagnostics import closest

_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = "@every "
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


def schedule_problem(schedule: str) -> tuple[str, str]:
    """What is wrong, and what to do; empty when nothing is. A time zone before the schedule is not judged here."""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        schedule = schedule.partition(" ")[2].strip()
    if schedule.startswith("@"):
        return _macro_problem(schedule)
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        hint = "minute, hour, day of month, month, day of week"
        return f"'{schedule}' has {len(parts)} fields, and a schedule has {len(_FIELDS)}", hint
    for part, field in zip(parts, _FIELDS, strict=True):
        for span in part.split(","):
            if span and (problem := _span_problem(span, field)):
                return f"'{schedule}': the {field.name} '{span}' {problem[0]}", problem[1]
    return "", ""


def _macro_problem(schedule: str) -> tuple[str, str]:
    if schedule in _MACROS:
        return "", ""
    if schedule.startswith(_EVERY):
        from dynagen.text.durations import nanoseconds

        duration = schedule.removeprefix(_EVERY)
        return ("", "") if nanoseconds(duration) is not None else (f"'{duration}' is no duration", "for example 1h30m")
    near = closest(schedule, _MACROS)
    hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(_MACROS) + ", @every 1h"
    return f"Kubernetes does not know '{schedule}'", hint


def _span_problem(span: str, field: _Field) -> tuple[str, str] | None:
    """Of `3`, `1-5`, `*/15`, `mon-fri`, `10/5`."""
    whole, *steps = span.split("/")
    first, *rest = whole.split("-")
    if len(steps) > 1 or (len(rest) > 1 and first not in ("*", "?")):
        return "is no range", "for example 1-5 or */15"
    if first in ("*", "?"):
        low, high = field.least, field.most
    else:
        ends = [_number(text, field) for text in (first, *rest)]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            words = f", or {field.words[0]} to {field.words[-1]}" if field.words else ""
            return "is no number", f"from {field.least} to {field.most}{words}"
        low, high = known[0], known[-1]
    if steps:
        step = _number(steps[0], field._replace(words=()))
        if not step:
            return "has a step that is no number above zero", "for example */15"
        high = field.most if not rest else high
    if low < field.least or high > field.most:
        hint = "0 is Sunday" if field.words is _DAYS and "7" in (first, *rest) else ""
        return f"is outside of {field.least} to {field.most}", hint
    return ("begins after its end", "write the smaller one first, or two ranges with a comma") if low > high else None


def _number(text: str, field: _Field) -> int | None:
    if text.lower() in field.words:
        return field.words.index(text.lower()) + field.least
    return int(text) if re.fullmatch("[+]?[0-9]{1,18}", text) else None


def zone_problem(zone: str) -> tuple[str, str]:
    """Of `timeZone`, as far as it can be told without the list of zones, which is the controller's."""
    hint = "a name of the tz database, such as Europe/Berlin or Etc/UTC"
    if not zone:
        return "may not be empty", "leave it out, or " + hint
    if zone.lower() == "local":
        return f"'{zone}' is no time zone of its own", hint
    for part in zone.split("/"):
        if part in (".", "..") or not re.fullmatch(r"(?!-)[A-Za-z._0-9+-]{1,14}", part):
            return f"'{zone}' is no time zone", hint
    return "", ""
