"""Row 21: clients cancel and resume the same workflows at random."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

from durably.errors import WrongStatus
from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.table import Table


def test_a_storm_of_cancel_and_resume(fleet: Fleet, is_full: bool, first_seed: int, table: Table) -> None:
    """Two workers, clients that contradict each other; at its end every workflow is resumed and right."""
    seconds = 600.0 if is_full else 4.0
    clients, ids = (8 if is_full else 4), [f"w{number}" for number in range(10)]
    for host in ("a", "b"):
        fleet.launch(host=host)
    for id_ in ids:
        fleet.ask("climb", 12, 0.1, id=id_)
    resumed: Counter[str] = Counter()
    done = [0]
    end = time.monotonic() + seconds

    def contradict(seed: int) -> None:
        chance = random.Random(seed)
        pause = threading.Event()
        with fleet.client() as client:
            while time.monotonic() < end:
                id_ = chance.choice(ids)
                try:
                    if chance.random() < 0.5:
                        client.cancel_workflow(id_)
                    else:
                        resumed[id_] += 1
                        client.resume_workflow(id_)
                except WrongStatus:
                    pass
                done[0] += 1
                pause.wait(0.01)

    threads = [threading.Thread(target=contradict, args=(first_seed + n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with fleet.client() as client:
        for id_, status in fleet.rows("SELECT workflow_uuid, status FROM dbos.workflow_status"):
            if status == "CANCELLED":
                resumed[id_] += 1
                client.resume_workflow(id_)
    fleet.wait_until_idle(30)
    fleet.see(*ids)
    events = fleet.ledger.events()
    report = history.check(history.read(fleet.url, events))
    runs = Counter((event.workflow_id, event.step) for event in events if event.kind == "begin")
    most = max(runs.values())
    table.add(
        21,
        "storm of cancel and resume",
        goal="checkpoints right, body runs <= hand-overs + 1",
        figures=f"{done[0]} operations on 10 workflows in {seconds:g} s, seed {first_seed}: "
        f"{len(report.bad) + len(report.wrong) + len(report.unended)} problems; a body ran {most} times at "
        f"most, at {max(resumed.values())} resumes",
    )
    assert report.bad == report.wrong == report.unended == report.lost == []
    assert all(count <= resumed[id_] + 1 for (id_, _), count in runs.items())
