"""One unpacked wheel in, the options of its argument parsers out, as JSON: `python ask.py vllm FOLDER`.

The engine's own code builds the parser. What it imports and is not here (torch, compiled modules, ...) is stood in for by
objects that agree to anything, so choices that come from there are not to be had: they are left out.
It runs in a Python of its own that has pydantic and regex, never in the project's.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Anything(type):
    """A class that can be called, subscripted, inherited from, used as a decorator, and asked for any attribute."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(f"{cls.__module__}.{name}")

    def __call__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and isinstance(given[0], (types.FunctionType, type)):
            return given[0]  # a decorator
        return cls if getattr(cls, "stands_in", False) else super().__call__(*given, **named)

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __or__(cls, other: Any) -> Any:
        return type.__or__(cls, other)

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __len__(cls) -> int:
        return 0

    def __bool__(cls) -> bool:
        return False

    def __lt__(cls, other: Any) -> bool:
        return False

    __gt__ = __ge__ = __le__ = __lt__

    def __enter__(cls) -> Any:
        return cls

    def __exit__(cls, *given: Any) -> None:
        return None

    def __fspath__(cls) -> str:
        return "nowhere"

    def __add__(cls, other: Any) -> Any:
        return other

    __radd__ = __mul__ = __rmul__ = __sub__ = __and__ = __add__


def stand_in(name: str) -> Any:
    return Anything(
        name.rpartition(".")[2], (), {"stands_in": True, "__module__": name, "__init__": lambda self, *a, **k: None}
    )


class Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            if name == "__all__":
                return []
            raise AttributeError(name)
        if name == "__version__":
            return "9.0.0"
        found = stand_in(f"{self.__name__}.{name}")
        setattr(self, name, found)
        return found


class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes up what cannot be imported; asked last."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        above = sys.modules.get(name.rpartition(".")[0])
        # That of TPUs would take itself for the platform.
        if name.partition(".")[0] in (*sys.stdlib_module_names, "tpu_inference") or (
            above is not None and not isinstance(above, Module)
        ):
            return None  # of a library that is here
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        return Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        return None


class Forgiving(importlib.abc.MetaPathFinder):
    """Modules of the wheel; one that fails to run is made up like those that are not there."""

    def __init__(self, folder: Path, packages: tuple[str, ...]) -> None:
        self.folder, self.packages = folder, packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] not in self.packages:
            return None
        base = self.folder.joinpath(*name.split("."))
        init, plain = base / "__init__.py", base.with_suffix(".py")
        file = init if init.is_file() else plain
        if not file.is_file():
            return importlib.machinery.ModuleSpec(name, Missing(), is_package=True)
        inner = importlib.machinery.SourceFileLoader(name, str(file))
        places = [str(base)] if file == init else None
        return importlib.util.spec_from_file_location(
            name, file, loader=Guarded(inner), submodule_search_locations=places
        )


class Guarded(importlib.abc.Loader):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def create_module(self, spec: Any) -> Any:
        return Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        try:
            self.inner.exec_module(module)
        except (Exception, SystemExit) as error:
            print(f"made up: {module.__name__}: {type(error).__name__}: {error}"[:300], file=sys.stderr)


def main() -> None:
    engine, folder, out = sys.argv[1], Path(sys.argv[2]), sys.stdout
    sys.stdout = sys.stderr  # they greet
    sys.meta_path.insert(0, Forgiving(folder, ("vllm", "sglang", "dynamo")))
    sys.meta_path.append(Missing())
    importlib.metadata.version = lambda name: "9.0.0"
    print(json.dumps({name: options(parser) for name, parser in ENGINES[engine](folder).items()}), file=out)


def vllm(folder: Path) -> dict[str, argparse.ArgumentParser]:
    sys.argv = ["vllm", "serve"]
    from vllm import platforms  # type: ignore[import-not-found]

    type(platforms.current_platform).device_type = "cuda"
    from vllm.engine.arg_utils import AsyncEngineArgs  # type: ignore[import-not-found]

    engine = argparse_of("vllm")(add_help=False)
    AsyncEngineArgs.add_cli_args(engine, async_args_only=False)
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS  # type: ignore[import-not-found]

    next(each for each in engine._actions if each.dest == "quantization").choices = QUANTIZATION_METHODS
    found = {"vllm": engine}
    try:
        from vllm.entrypoints.openai.cli_args import make_arg_parser  # type: ignore[import-not-found]

        found["serve"] = make_arg_parser(argparse_of("vllm")(add_help=False))
    except Exception as error:
        print(f"no serve: {error}", file=sys.stderr)
    return found


def argparse_of(package: str) -> Any:
    for name in ("vllm.utils.argparse_utils", "vllm.utils"):
        module = importlib.import_module(name)
        if "FlexibleArgumentParser" in vars(module):
            return module.FlexibleArgumentParser
    raise ImportError(package)


def sglang(folder: Path) -> dict[str, argparse.ArgumentParser]:
    from sglang.srt.server_args import ServerArgs  # type: ignore[import-not-found]

    parser = argparse.ArgumentParser(add_help=False)
    ServerArgs.add_cli_args(parser)
    return {"sglang": parser}


class Unchanged:
    """In the place of an engine's options, which are asked for by themselves."""

    @staticmethod
    def add_cli_args(parser: Any, **given: Any) -> Any:
        return parser


class Asked(BaseException):
    """Carries the parser that was about to parse."""


def dynamo(folder: Path) -> dict[str, argparse.ArgumentParser]:
    """The parsers that Dynamo's modules make, by catching them at the moment when they would parse."""
    found: dict[str, Any] = {}
    made: list[argparse.ArgumentParser] = []

    def caught(self: argparse.ArgumentParser, *given: Any, **named: Any) -> Any:
        made.append(self)
        raise Asked

    for name, attribute, value in (
        ("vllm.utils", "FlexibleArgumentParser", argparse.ArgumentParser),
        ("vllm.engine.arg_utils", "AsyncEngineArgs", Unchanged),
        ("sglang.srt.server_args", "ServerArgs", Unchanged),
    ):
        sys.modules[name] = Module(name)
        setattr(sys.modules[name], attribute, value)
    argparse.ArgumentParser.parse_args = argparse.ArgumentParser.parse_known_args = caught  # type: ignore[assignment]
    for backend, names in {
        "vllm": ("dynamo.vllm.args",), "sglang": ("dynamo.sglang.args",),
        "trtllm": ("dynamo.trtllm.args", "dynamo.trtllm.utils.trtllm_utils"),
        "frontend": ("dynamo.frontend.main",), "mocker": ("dynamo.mocker.args",), "router": ("dynamo.router.args",),
        "planner": (),
    }.items():  # fmt: skip
        for name in names:
            made.clear()
            try:
                module = importlib.import_module(name)
                for call in ("parse_args", "_parse_cli_args", "cmd_line_args", "parse_cmd_line_args"):
                    if call in vars(module) and not made:
                        ask(vars(module)[call])
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            if made:
                found[backend] = made[0]
    try:
        from dynamo.common.configuration.groups.router_args import (  # type: ignore[import-not-found]
            add_worker_router_arguments,
        )

        parser = argparse.ArgumentParser(add_help=False)
        add_worker_router_arguments(parser)
        if parser._actions:
            found["worker-router"] = parser
    except Exception:
        pass
    return found


def ask(call: Any) -> None:
    import asyncio
    import inspect

    for given in ((), ([],)):
        try:
            result = call(*given)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except Asked:
            return
        except TypeError as error:
            print(f"asking: {error}", file=sys.stderr)


def options(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """By its first name: other names, kind of the value, choices; how many values unless it is one."""
    found = {}
    for action in parser._actions:
        names = [each for each in action.option_strings if "{" not in each]
        if not names:
            continue
        entry: dict[str, Any] = {"names": names}
        if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
            entry["kind"] = "none"
        else:
            entry["kind"] = kind(action)
            if action.nargs not in (None, 1):
                entry["many"] = str(action.nargs)
            choices = list(action.choices) if action.choices is not None else None
            if choices and not any(isinstance(each, Anything) for each in choices):
                entry["choices"] = [str(each) for each in choices if each is not None]
        found[names[0]] = entry
    return found


def kind(action: argparse.Action) -> str:
    """What a value can be, by trying some. `braces`: a text, but one in braces has to be JSON."""
    read = action.type if callable(action.type) else str
    if accepts(read, "no number"):
        return "text" if accepts(read, "{no json}") else "braces"
    if accepts(read, "{}"):
        return "json"
    if accepts(read, "1.5"):
        return "float"
    if accepts(read, "7"):
        return "size" if accepts(read, "8k") else "int"
    return "text"


def accepts(call: Any, value: str) -> bool:
    try:
        call(value)
    except BaseException:
        return False
    return True


ENGINES = {"vllm": vllm, "sglang": sglang, "dynamo": dynamo}

if __name__ == "__main__":
    main()
