"""`python -m tests.agree [COUNT [SEED]]` compares and prints what was tried; exit code 1 for an unknown disagreement."""

from __future__ import annotations

import sys
import time
from multiprocessing import Pool

from tests.agree import Case, compare, known_faults, summary, unexplained
from tests.agree.objects import Setting, settings


def main(arguments: list[str]) -> int:
    count, seed = (int(arguments[0]) if arguments else 10_000), (int(arguments[1]) if len(arguments) > 1 else 1)
    chosen, start = settings(), time.monotonic()
    share = -(-count // len(chosen))
    with Pool(2) as pool:
        parts = pool.starmap(_part, [(setting, share, seed + 2 * number) for number, setting in enumerate(chosen)], 1)
    cases = [case for part in parts for case in part]
    print(summary(cases))
    print(
        f"\nseed {seed}; kubernetes {', '.join(setting.kubernetes for setting in chosen)}; {time.monotonic() - start:.0f} s"
    )
    for fault in known_faults():
        number = sum(not case.agrees and fault.explains(case) for case in cases)
        print(f"known, {number} times: {' '.join(fault.reason.split())}")
    wrong = unexplained(cases)
    for case in wrong[:20]:
        print(case)
    print(f"{len(wrong)} disagreements that nobody knows")
    return 1 if wrong else 0


def _part(setting: Setting, count: int, seed: int) -> list[Case]:
    return list(compare(setting, count, seed))


sys.exit(main(sys.argv[1:]))
