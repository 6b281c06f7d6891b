"""Workflows that are methods: bound to their instance or class, as plain methods are."""

from durably.app import App

app = App("typed")


class BoxOffice:
    @app.workflow()
    async def sell(self, count: int) -> int:
        return count

    @app.workflow()
    def count(self, of: str) -> int:
        return len(of)

    @app.workflow()
    @classmethod
    async def open(cls, hall: str) -> str:
        return hall

    @app.workflow()
    @staticmethod
    async def audit(count: int) -> int:
        return count

    @app.step()
    async def charge(self, cents: int) -> int:
        return cents


hall = app.register_instance("hall", BoxOffice())


async def use() -> None:
    sold: int = await hall.sell(1)
    sold = await (await hall.sell.options(workflow_id="w").start(1)).get_result()
    sold = hall.count("seats")
    opened: str = await BoxOffice.open("hall")
    opened = await hall.open("hall")
    sold = await BoxOffice.audit(1)
    sold = await hall.charge(1)
    await hall.sell("one")  # E: mypy[arg-type] pyright[reportArgumentType]
    hall.count(1)  # E: mypy[arg-type] pyright[reportArgumentType]
    await BoxOffice.open(1)  # E: mypy[arg-type] pyright[reportArgumentType]
    sold = await hall.open("hall")  # E: mypy[assignment] pyright[reportAssignmentType]
    print(sold, opened)
