"""Which servicers a process has: all four, or one."""

from vitrine.app.parts import Process, Started
from vitrine.app.split import start_profile, start_ranking, start_recommendation, start_retrieval
from vitrine.app.whole import start_all

_START = {
    "all": start_all,
    "profile": start_profile,
    "retrieval": start_retrieval,
    "ranking": start_ranking,
    "recommendation": start_recommendation,
}


async def start_services(process: Process) -> Started:
    """Opens what the wanted service needs, and makes it.

    Raises:
        ConfigError: A store cannot be used.
        BundleError: The bundle is refused.
    """
    return await _START[process.options.service](process)
