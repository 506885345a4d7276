"""A container in, the programs that its command line starts out: exec form, shell scripts, what others start for them.

Source: "Running commands" of kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container;
`sh -c` in 'sh' of POSIX; the base containers of deploy/operator/internal/dynamo/component_{common,frontend,worker}.go of
ai-dynamo/dynamo: `python3 -m dynamo.frontend` for a frontend, `/bin/sh -c` for a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.graphs import WORKERS
from dynagen.cluster.objects import Object, mapping
from dynagen.diagnostics import Finding, KeyPath, shortened
from dynagen.engine.shell import Script
from dynagen.engine.words import Word

SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh")
# Programs that are modules of Python, by other names that they have.
_MODULES = {"vllm.entrypoints.openai.api_server": "vllm.serve", "sglang.launch_server": "sglang.launch_server"}
# What follows these is shown, looked for or installed, not run.
_NO_STARTERS = frozenset(
    (
        "echo",
        "printf",
        "pgrep",
        "pkill",
        "grep",
        "ps",
        "pip",
        "pip3",
        "test",
        "[",
        "[[",
        "which",
        "command",
        "cat",
        "touch",
    )
)
# What to do about words around a script.
ONE_TEXT = "write the whole command in one text after '-c', or start the program without a shell"
# How a script speaks of the words that follow it.
_POSITIONAL = ("$@", "$*", "${@", "${*", "$#", *(f"${n}" for n in range(10)), *(f"${{{n}" for n in range(10)))


class Command:
    """A program with its arguments: `dynamo.vllm`, `vllm.serve`; empty if nobody knows it. `path` leads to its name."""

    __slots__ = ("path", "program", "words")

    def __init__(self, program: str, words: Sequence[Word], path: KeyPath) -> None:
        self.program, self.words, self.path = program, words, path


class CommandLine:
    """What a container runs: `commands` in their order, `words` of all of them, `findings` of how it is written."""

    __slots__ = ("commands", "findings", "words")

    def __init__(self, commands: list[Command], words: list[Word], findings: list[tuple[str, Finding]]) -> None:
        self.commands, self.words, self.findings = commands, words, findings

    def programs(self) -> list[str]:
        return [each.program for each in self.commands if each.program]


def command_line(container: dict[str, Any], component: str = "") -> CommandLine:
    """Paths are below the container. `component` is the type of a graph's component, whose operator fills in a command."""
    given = [
        Word(str(part), (field, index))
        for field in ("command", "args")
        for index, part in enumerate(container.get(field) or ())
    ]
    line = CommandLine([], [], [])
    if not container.get("command") and given:
        default = ["python3"] if component == "frontend" else ["/bin/sh", "-c"] if component in WORKERS else []
        if not component and " " in given[0].text and len(given) == 1:
            default = ["/bin/sh", "-c"]  # a shell is what it can only be meant for
        given = [*(Word(text, ()) for text in default), *given]
    _read(given, line, in_script=False)
    return line


def _read(words: Sequence[Word], line: CommandLine, in_script: bool) -> None:
    """Takes the words of one program apart."""
    start, program = _program(words)
    shell = next((index for index, word in enumerate(words[:start]) if _base(word.text) in SHELLS), None)
    if words and _base(words[0].text) in _NO_STARTERS:
        return
    if shell is not None:
        _read_shell(words, shell, line)
        return
    if not in_script:
        line.findings.extend(_unsplit(words, program))
    line.commands.append(Command(program, words[start:], words[start - 1].path if start else ()))
    line.words.extend(words)


def _base(text: str) -> str:
    return text.rpartition("/")[2]


def _program(words: Sequence[Word]) -> tuple[int, str]:
    """Where the arguments of a program that we know begin, and its name; the end of the words without one."""
    for index, word in enumerate(words):
        base = _base(word.text)
        following = words[index + 1].text if index + 1 < len(words) else ""
        if base.rstrip("0123456789.") == "python":
            for at in range(index + 1, len(words) - 1):
                if words[at].text == "-m":
                    module = words[at + 1].text
                    name = _MODULES.get(module, module if module.startswith("dynamo.") and " " not in module else "")
                    return (at + 2, name.removesuffix(".main")) if name else (len(words), "")
                if not words[at].text.startswith("-"):
                    break  # a file
        elif base == "vllm" and following == "serve":
            return index + 2, "vllm.serve"
        elif base == "sglang" and following == "serve":
            return index + 2, "sglang.launch_server"
        elif base == "trtllm-serve":
            return index + 1, base
    return len(words), ""


def _read_shell(words: Sequence[Word], shell: int, line: CommandLine) -> None:
    at, is_command = shell + 1, False
    while at < len(words) and words[at].text[:1] in "-+" and words[at].text not in ("-", "--"):
        option = words[at].text
        if option.startswith("--") and is_command:
            message = f"'{_base(words[shell].text)} -c' takes '{shortened(option, 40)}' for an option of its own"
            line.findings.append(("DG633", Finding(words[at].path, message, ONE_TEXT)))
            return
        is_command = is_command or (not option.startswith("--") and "c" in option)
        at += 2 if not option.startswith("--") and option[-1:] in "oO" else 1
    if at < len(words) and words[at].text == "--":
        at += 1
    if not is_command or at >= len(words):
        return  # a script in a file
    script, rest = words[at], words[at + 1 :]
    if rest and not any(sign in script.text for sign in _POSITIONAL) and _looks_lost(script.text, rest):
        message = (
            f"'{_base(words[shell].text)} -c' runs '{shortened(script.text, 40)}' alone: what follows is not part of it"
        )
        line.findings.append(("DG633", Finding(rest[0].path, message, ONE_TEXT)))
        return
    _read_script(script, rest, line)


def _read_script(script: Word, rest: Sequence[Word], line: CommandLine) -> None:
    """`rest` are the words that the script has as `$0`, `$1`, ..."""
    read = Script(script.text, script.path)
    if read.joined:
        message = (
            f"a backslash before a blank makes '{shortened(read.joined, 40)}' a word of the script, blank included"
        )
        hint = "a backslash joins lines only at the very end of one: leave it out where lines are folded"
        line.findings.append(("DG633", Finding(script.path, message, hint)))
        return
    for command in read.commands:
        if command[0].text.startswith("--") and command[0].known:
            message = f"a line of the script begins with '{shortened(command[0].text, 40)}', as if it were a program"
            hint = "end the line before with a backslash that nothing follows"
            line.findings.append(("DG633", Finding(script.path, message, hint)))
            return
    for command in read.commands:
        while command and _is_assignment(command[0].text):
            command = command[1:]
        own = [each for word in command for each in (rest[1:] if word.text == "$@" else (word,))]
        _read(own, line, in_script=True)


def _looks_lost(script: str, rest: Sequence[Word]) -> bool:
    """Whether words after a script were meant to be in it. A name for `$0` is not."""
    return len(script.split()) == 1 or any(word.text.startswith("-") and len(word.text) > 2 for word in rest)


def _is_assignment(text: str) -> bool:
    name, sign, _ = text.partition("=")
    return bool(sign) and name.rstrip("+").isidentifier()


def _unsplit(words: Sequence[Word], program: str) -> Iterator[tuple[str, Finding]]:
    """A program, or a program with its arguments, in one word."""
    hint = "one word an item: [python3, -m, dynamo.vllm, --model, ...]; only a shell takes a text apart"
    for word in words[:3]:
        parts = word.text.split()
        if program or len(parts) < 2 or not word.path:
            continue
        found = _program([Word(part, word.path) for part in parts])[1]
        module = parts[1] if parts[0] == "-m" else parts[0]
        if found or module in _MODULES or module.startswith("dynamo."):
            yield "DG630", Finding(word.path, f"'{shortened(word.text, 60)}' is one word to whoever starts it", hint)
            return


def line_of(subject: Object, path: KeyPath, component: str) -> CommandLine:
    """The command line of the container at `path` of an object; ask for it with `once`."""
    data: Any = subject.data
    for step in path:
        data = data[step]
    return command_line(mapping(data), component)
