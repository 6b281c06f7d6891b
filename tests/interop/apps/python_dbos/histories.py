"""The DBOS executor that test_mixed_histories starts beside ours, and kills. Nothing in it knows durably.

Argument: the URL. It has an executor id of its own for ever, as DBOS finds its lost work by it.
"""

from __future__ import annotations

import sys
import threading
import time

from dbos import DBOS, DBOSConfig

DBOS(
    config=DBOSConfig(
        name="histories", system_database_url=sys.argv[1], executor_id="peer", application_version="1"
    )
)


@DBOS.step(name="work")
def work(milliseconds: int) -> int:
    time.sleep(milliseconds / 1000)
    return milliseconds


@DBOS.workflow(name="job")
def job(milliseconds: int) -> int:
    result: int = work(milliseconds)
    return result


if __name__ == "__main__":
    DBOS.launch()
    print("ready", flush=True)
    threading.Event().wait()
