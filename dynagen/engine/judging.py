"""The arguments of a program in, what its parser would say to them out.

Source: Lib/argparse.py of CPython 3.12 (_parse_optional, _get_option_tuples, consume_optional); FlexibleArgumentParser in
vllm/utils/argparse_utils.py of vLLM 0.31.0; parse_args of dynamo/{vllm,sglang,trtllm}/args.py and frontend/main.py in the wheels
ai-dynamo 0.8.0 to 1.6.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from dynagen.diagnostics import Finding, shortened
from dynagen.engine.option_values import value_problem
from dynagen.engine.options import Option, Parser, order
from dynagen.engine.unknown_options import unknown
from dynagen.engine.words import Word, values_of

Coded = tuple[str, Finding]
# Of one command: who has more to put right has something else in mind, and each takes milliseconds to be compared with all names.
_MOST = 50


def judge_arguments(
    parser: Parser, words: Sequence[Word], certain: bool, judged: Collection[str] = ()
) -> Iterator[Coded]:
    """`certain`: it is known which version of the program runs. What only a version says is a warning without that.

    Of words that were `judged` nothing is said.
    """
    certain = certain and all(section.is_taken for section in parser.sections)
    return islice(_Judge(parser, words, "error" if certain else "warning").findings(judged), _MOST)


class _Judge:
    def __init__(self, parser: Parser, words: Sequence[Word], severity: str) -> None:
        self.parser, self.words, self.severity, self.at = parser, words, severity, 0
        self.flexible = parser.name == "vllm"  # `_` for `-`, keys after a dot
        # Before 1.0 one parser had all; since then Dynamo's own options come first, and none of them may be cut short.
        # What Dynamo's own processor does not know goes to the parser of another one.
        processors = [each.text for each in values_of(words, "--dyn-chat-processor")]
        self.lenient = parser.name == "frontend" and any(each != "dynamo" for each in processors)
        self.exact_first = parser.program == "dynamo.vllm" and order(parser.version or "1.0.0") >= (1, 0, 0)

    def findings(self, judged: Collection[str]) -> Iterator[Coded]:
        after = ""  # the flag that takes no value before
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if not word.known and not word.text.startswith("--"):
                after = ""
                continue
            if word.text == "--":
                return
            if _is_value(word):
                if after and not any(each.open for each in self.words[: self.at]):
                    message = f"'{after}' takes no value, and '{shortened(word.text, 40)}' follows"
                    yield "DG631", Finding(word.path, message, "leave it out", self.severity)
                elif _holds_a_flag(word):
                    yield self._together(word)
                after = ""
                continue
            found, after = self._flag(word)
            if word.text not in judged:
                yield from found

    def _together(self, word: Word) -> Coded:
        flag, _, rest = word.text.strip().partition(" ")
        message = f"'{shortened(word.text, 60)}' is one argument, and the parser sees one word"
        hint = f"make it two items, '{flag}' and '{shortened(rest.strip(), 40)}', or write '{flag}={shortened(rest.strip(), 40)}'"
        if rest.lstrip().startswith("-") or " -" in rest:
            hint = "make every flag and every value an item of its own"
        return "DG630", Finding(word.path, message, hint)

    def _flag(self, word: Word) -> tuple[list[Coded], str]:
        """What is wrong with an option and its value, and its name when it is one that takes none."""
        name, equals, value = word.text.partition("=")
        if "$" in name or "`" in name:
            return [], ""
        option = self._option(name)
        if not name.startswith("--"):  # short ones may have their value without a blank
            if option is not None and option.kind not in ("", "none", "switch") and not equals:
                self._take(option)
            return [], ""
        if option is None or not option.is_here:
            self._skip_values()
            if option is None and self.lenient:
                return [], ""
            found = (
                unknown(self.parser, name, word, self.severity)
                if option is None
                else self._of_another_version(word, name, option)
            )
            return [found], ""
        if option.kind in ("none", "switch"):
            return ([self._with_a_value(word, name, value, option)] if equals else []), name
        values = [Word(value, word.path, word.known)] if equals else self._take(option)
        if not values and option.kind and not option.kind.endswith(("?", "...")):
            message, hint = f"'{name}' has no value", "add one, or leave the flag out"
            return [("DG631", Finding(word.path, message, hint, self.severity))], ""
        problems = [problem for each in values if (problem := value_problem(option, name, each, self.parser))]
        return [each if self.severity == "error" else ("DG632", _softer(each[1])) for each in problems], ""

    def _with_a_value(self, word: Word, name: str, value: str, option: Option) -> Coded:
        message = f"'{name}' takes no value, and '{shortened(value, 40)}' is given"
        hint = f"write '{name}' alone" + (f", or '--no-{name[2:]}'" if option.kind == "switch" else "")
        return "DG631", Finding(word.path, message, hint, self.severity)

    def _take(self, option: Option) -> list[Word]:
        """The values that follow."""
        found: list[Word] = []
        most = len(self.words) if option.kind.endswith("...") else 1
        while self.at < len(self.words) and len(found) < most and _is_value(self.words[self.at]):
            if option.kind.endswith("...") and _holds_a_flag(self.words[self.at]):
                break
            found.append(self.words[self.at])
            self.at += 1
        return found

    def _skip_values(self) -> None:
        while self.at < len(self.words) and _is_value(self.words[self.at]) and not _holds_a_flag(self.words[self.at]):
            self.at += 1

    def _option(self, name: str) -> Option | None:
        """The option that a name means; None for one that nobody knows."""
        if self.flexible and name == "--config":
            return Option(name, "text")
        found: Option | None = None
        for section in self.parser.sections:
            own = self._plain(name) if self.flexible and not (self.exact_first and section.name == "dynamo") else name
            for option in (section.option(own), self._negated(section, own)):
                if option is not None and option.is_here:
                    return option
                found = found or option
        return self._unspelled(name) or found

    def _plain(self, name: str) -> str:
        head, dot, _ = name.partition(".")
        return head.replace("_", "-") if not dot else head.replace("_", "-") + "."

    @staticmethod
    def _negated(section: object, name: str) -> Option | None:
        if not name.startswith("--no-"):
            return None
        option: Option | None = section.option("--" + name[5:])  # type: ignore[attr-defined]
        return option if option is not None and (option.kind == "switch" or not option.is_here) else None

    def _unspelled(self, name: str) -> Option | None:
        """What is no whole name: a key after a dot, `-O3`, a beginning."""
        head, dot, _ = name.partition(".")
        if dot and self.parser.name == "trtllm" and head == "--trtllm":
            return Option(name, "text")
        if self.flexible and (dot or name.startswith("-O")):
            known = name.startswith("-O") or self._option(head)
            return Option(name, "" if name.startswith("-O") else "text") if known else None
        own = self._plain(name) if self.flexible else name
        parts = [part for part in self.parser.sections if not (self.exact_first and part.name == "dynamo")]
        near = [(part, each) for part in parts for each in part.beginning_with(own)] if len(own) > 2 else []
        if len(near) == 1:
            return near[0][0].option(near[0][1])
        return Option(name, "") if near else None

    def _of_another_version(self, word: Word, name: str, option: Option) -> Coded:
        section = next(part for part in self.parser.sections if part.option(option.name) is not None)
        release = self.parser.version
        turn, hint = option.since or option.until, "leave it out"
        verb = "is there" if option.since else "is gone"
        if section.name == "dynamo":
            message = f"'{name}' {verb} since release {turn}, and this is {release}"
            hint += f", or use release {turn} or later" if option.since else ""
        else:
            where = f"release {release} has {self.parser.engine}" if release else f"this is {self.parser.engine}"
            message = f"'{name}' {verb} since {self.parser.title} {turn}, and {where}"
        return "DG435", Finding(word.path, message, hint, self.severity)


def _softer(finding: Finding) -> Finding:
    return Finding(finding.path, finding.message, finding.hint, "warning")


def _is_value(word: Word) -> bool:
    """As argparse tells arguments from options: a number, a lone dash, what has a blank in it before any `=`."""
    text = word.text
    if not text.startswith("-") or text == "-":
        return True
    if text[1:].replace(".", "", 1).isdigit():
        return True
    return " " in text.partition("=")[0]


def _holds_a_flag(word: Word) -> bool:
    """`--seed 1` in one word. A value that begins with a dash, as a list in Markdown does, is none."""
    return word.text.startswith("-") and word.text[1:2] not in (" ", "") and word.known
