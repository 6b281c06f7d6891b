"""Events: a workflow publishes how far it is, and whoever wants to know looks or waits.

    pip install 'durably[embedded]'
    python examples/progress.py

The last value stays readable when the workflow has ended, and after a crash nothing is published twice.
"""

from __future__ import annotations

from durably import App, sync

app = App("progress")


@app.step()
def convert(page: int) -> int:
    """Some work; here its result is a number of bytes."""
    return page * 100


@app.workflow()
def convert_book(pages: int) -> int:
    """A `def` workflow: it blocks a thread while it works, and none while it waits."""
    size = 0
    for page in range(1, pages + 1):
        size += convert(page)
        sync.set_event("progress", {"page": page, "of": pages})
    return size


def main() -> None:
    """Start a conversion and read its progress, as a web page would with a client."""
    with app:
        handle = convert_book.options(workflow_id="book-1").start(3)
        print(handle.get_event("progress", timeout_seconds=10) is not None)
        print(handle.get_result())
        print(handle.get_event("progress"))


if __name__ == "__main__":
    main()
