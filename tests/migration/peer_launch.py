"""Runs in the peers' interpreter: a real DBOS application launches, runs a workflow, says its result, ends.

python peer_launch.py URL SCHEMA
"""

from __future__ import annotations

import sys
from importlib import import_module


def main(url: str, schema: str) -> None:
    dbos = import_module("dbos").DBOS
    dbos(
        config={
            "name": "launcher",
            "system_database_url": url,
            "dbos_system_schema": schema,
            "run_admin_server": False,
            "application_version": "v1",
        }
    )

    def double(number: int) -> int:
        return 2 * number

    double_step = dbos.step()(double)

    def quadruple(number: int) -> int:
        dbos.set_event("started", True)
        return int(double_step(double_step(number)))

    workflow = dbos.workflow()(quadruple)
    dbos.launch()
    print("result", dbos.start_workflow(workflow, 3).get_result())
    dbos.destroy()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
