"""Runs a server until it is told to stop."""

import asyncio
import gc
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack

from threadpoolctl import threadpool_limits

from vitrine.app.check import check_config
from vitrine.app.loop import SWITCH_SECONDS, loop_factory
from vitrine.app.options import ServeOptions
from vitrine.app.parts import Process
from vitrine.app.plugin_watch import PluginWatch
from vitrine.app.services import start_services
from vitrine.domain.clock import clock_from, system_clock
from vitrine.hosting.workers import Workers
from vitrine.inference.runtime import check_runtime
from vitrine.rpc.listening import authority
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

log = logging.getLogger("vitrine")


def serve(options: ServeOptions) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the calls in flight, closes the stores and returns.

    Raises:
        ConfigError: A name in the configuration is unknown, a port or a store is taken, or the installation is wrong.
        BundleError: The bundle is refused.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    check_runtime()
    check_config(options.config, options.service)
    sys.setswitchinterval(SWITCH_SECONDS)
    # Requests run side by side in the workers; threads inside a product of matrices would only stand in their way.
    threadpool_limits(1)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(options))


async def _serve(options: ServeOptions) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as closing:
        metrics = Metrics()
        workers = Workers(max(2, os.cpu_count() or 1))
        closing.callback(workers.shutdown)
        clock = (
            system_clock if options.as_of is None else clock_from(options.as_of, frozen=options.freeze_clock)
        )
        # Next to nothing of what is loaded is garbage: the collector would look at all of it again and again.
        gc.disable()
        closing.callback(gc.enable)
        started = await start_services(Process(options, clock, workers, metrics, closing))
        # Not before: until then nothing has been promised to anybody, and whatever keeps the start may be interrupted.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        # What was loaded lives long: the collector need not look at it again and again. A bundle that is replaced is
        # freed all the same, by the counting of references alone (tests/unit/app/test_generations.py). Nothing is
        # frozen after a swap: garbage of requests on their way would be frozen with it, for good.
        gc.collect()
        gc.freeze()
        gc.enable()

        server = GrpcServer(started.services, metrics)
        if started.plugins is not None:
            plugins = PluginWatch(started.plugins, server, metrics)
            await plugins.start()
            closing.push_async_callback(plugins.close)
        if started.health is not None:
            await started.health(server)
        port = await server.start(options.host, options.port)
        shown = "no metrics"
        if options.metrics_port is not None:
            exposed = metrics.expose(options.host, options.metrics_port)
            closing.callback(exposed.close)
            shown = f"metrics at http://{authority(options.host, exposed.port)}/metrics"
        where = authority(options.host, port)
        log.info("serving %s on %s (%s; %s)", options.service, where, started.summary, shown)
        await stopping.wait()
        log.info("stopping: calls in flight have %g s", options.grace)
        for stop in started.before_stop:
            stop()
        await server.stop(options.grace)
    log.info("stopped")
