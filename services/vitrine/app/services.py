"""Which servicers a process has: all four, by itself or with workers, or one."""

from vitrine.app.parts import Process, Started
from vitrine.app.split import start_profile, start_ranking, start_recommendation, start_retrieval
from vitrine.app.whole import start_all
from vitrine.app.workers.start import start_with_workers

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
    if process.options.workers > 1:
        return await start_with_workers(process)
    return await _START[process.options.service](process)
