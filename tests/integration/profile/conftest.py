"""A served store for the tests of the service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.profile.serving import Service, serving


@pytest.fixture(name="service")
async def service_fixture(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as service:
        yield service
