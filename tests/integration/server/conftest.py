"""A server over the small shop, and a client of it; modules that need another server have a fixture of that name."""

from collections.abc import Iterator

import pytest

from tests.support.world import AS_OF, World
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One process, over a store of the module's own."""
    store = world.fresh_store(tmp_path_factory.mktemp("server") / "store")
    # The clock stands still: ages are features, so that half a minute may change the order of a window.
    with ServerProcess(bundle=world.bundle, store=store, as_of=AS_OF, args=("--freeze-clock",)) as running:
        yield running


@pytest.fixture
def shop(server: ServerProcess) -> Iterator[Vitrine]:
    """A client of the server."""
    with Vitrine(server.address) as client:
        yield client
