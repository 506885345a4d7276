"""`python -m tests.fuzz.child TARGET SECONDS SEED FOLDER [guided]` tries inputs until time is up, or one kills it.

The input under way is in FOLDER/current, so that whoever started this knows what killed it: SIGPROF and SIGALRM
are a hang, every other signal is a crash. Exceptions are saved here, and the run goes on.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

SECONDS_EACH = 2.0  # of the processor's time: the machine may be busy with other things
SECONDS_ASLEEP = 60.0
ADDRESSES = 3 * 1024**3  # of virtual memory, which is more than what is used
GROWTH = 400 * 1024  # KiB that the peak may rise with one input


class Trial:
    """Runs inputs one by one, within the limits, and keeps count."""

    def __init__(self, run: Callable[[str], None], folder: Path, seed: int) -> None:
        self._run, self._folder, self._seed = run, folder, seed
        self._current = os.open(folder / "current", os.O_RDWR | os.O_CREAT)
        self._count = os.open(folder / "count", os.O_RDWR | os.O_CREAT)
        self.count = int(os.pread(self._count, 20, 0) or b"0")
        self._peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def __call__(self, text: str) -> None:
        raw = text.encode("utf-8", "surrogatepass")
        os.ftruncate(self._current, 0)
        os.pwrite(self._current, raw, 0)
        self.count += 1
        os.pwrite(self._count, b"%d" % self.count, 0)
        signal.setitimer(signal.ITIMER_PROF, SECONDS_EACH)
        signal.setitimer(signal.ITIMER_REAL, SECONDS_ASLEEP)
        try:
            self._run(text)
        except Exception as error:
            self._save(raw, error, "".join(traceback.format_exception(error)))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if peak > self._peak + GROWTH:
            self._save(raw, MemoryError("grew"), f"memory grew from {self._peak} to {peak} KiB")
        self._peak = max(self._peak, peak)

    def _save(self, raw: bytes, error: Exception, story: str) -> None:
        """One input for each place that an exception comes from: the first, or a shorter one."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__}-{Path(frames[-1].filename).stem}-{frames[-1].lineno}" if frames else "memory"
        file = self._folder / f"crash-{place}"
        if not file.exists() or file.stat().st_size > len(raw):
            file.write_bytes(raw)
            file.with_suffix(".why").write_text(f"seed {self._seed}, input {self.count}\n{story}", "utf-8", "replace")


def fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:12]


def _plain(name: str, seconds: float, seed: int, folder: Path) -> None:
    from tests.fuzz.targets import TARGETS, clean_up

    target, random = TARGETS[name], Random(seed)
    trial, seeds, end = Trial(target.run, folder, seed), sorted(target.seeds(), key=len), time.monotonic() + seconds
    recent: list[str] = []
    try:
        for text in seeds:
            trial(text)
        while time.monotonic() < end:
            # Short ones more often: they are quicker, and leave less to hide behind.
            seeded = seeds[int(len(seeds) * random.random() ** 2)]
            text = target.mutate(random.choice(recent) if recent and random.random() < 0.3 else seeded, random)
            trial(text)
            if random.random() < 0.2:
                recent = [*recent[-200:], text]
    finally:
        clean_up()


def _guided(name: str, seconds: float, seed: int, folder: Path) -> None:
    """With libFuzzer: inputs that reach new code are mutated further."""
    import atheris

    with atheris.instrument_imports(include=["dynagen"]):
        from tests.fuzz.targets import TARGETS, clean_up

    target, trial = TARGETS[name], None
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for text in target.seeds():
        raw = text.encode("utf-8", "surrogatepass")
        (corpus / fingerprint(raw)).write_bytes(raw)
    trial = Trial(target.run, folder, seed)

    def mutate(raw: bytes, size: int, number: int) -> bytes:
        random = Random(number)
        text = raw.decode("utf-8", "replace")
        if random.random() < 0.1:
            return bytes(atheris.Mutate(raw, size))
        return target.mutate(text, random).encode("utf-8", "surrogatepass")[:size]

    arguments = [
        "fuzz", f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=20000", "-timeout=0", "-rss_limit_mb=0",
        "-verbosity=0", f"-artifact_prefix={folder}/libfuzzer-", str(corpus),
    ]  # fmt: skip
    try:
        atheris.Setup(arguments, lambda raw: trial(raw.decode("utf-8", "replace")), custom_mutator=mutate)
        atheris.Fuzz()
    finally:
        clean_up()


def main(arguments: list[str]) -> None:
    name, seconds, seed, folder = arguments[0], float(arguments[1]), int(arguments[2]), Path(arguments[3])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)  # ends the process even while C code runs
    (_guided if "guided" in arguments[4:] else _plain)(name, seconds, seed, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
