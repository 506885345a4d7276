"""How long a frontend that goes away serves on, and how long it waits for the answers that are under way."""

from __future__ import annotations

from dynagen.plan.values import Shutdown
from dynagen.text.versions import Version

# Load balancers and proxies go on sending for a while after a pod has begun to end. From SIGTERM on a frontend answers 503
# to what is new, so SIGTERM has to come later (preStop).
_SERVING = 20
# What is left when the last answer has ended: telling the others, closing connections.
_END = 10


def plan_shutdown(answer: int, release: Version) -> Shutdown:
    """`answer` is the longest answer, in seconds.

    Since 1.3 the variable is the time for answers under way (start_draining in lib/llm/src/http/service/service_v2.rs of
    ai-dynamo/dynamo). Before, the frontend takes new requests for so long and then waits for all of them without a limit.
    """
    return Shutdown(
        serving=_SERVING,
        answer=answer,
        wait=answer if release >= (1, 3, 0) else 5,
        proxy=_SERVING + answer + _END // 2,
        grace=_SERVING + answer + _END,
    )
