"""Reloads in a worker."""

import logging
import time

from vitrine.app.reload import Reloader
from vitrine.app.workers.messages import Reload, Reloaded
from vitrine.config import Config
from vitrine.errors import BundleRefused, ConfigError, ConfigRefused

log = logging.getLogger(__name__)


def reloaded(reloader: Reloader, wanted: Reload) -> Reloaded:
    """Switches to the bundle in the folder, or to a configuration; what came of it."""
    try:
        if wanted.config:
            return _reconfigured(reloader, wanted)
        done = reloader.reload(wanted.expected)
        return Reloaded(wanted.number, done.version, done.previous_version, done.switched, done.seconds)
    except (BundleRefused, ConfigRefused) as refused:
        return Reloaded(wanted.number, reason=refused.reason, text=refused.description)
    except ConfigError as error:
        return Reloaded(wanted.number, reason="INVALID_CONFIG", text=str(error))
    except Exception:
        log.exception("a reload failed")
        return Reloaded(wanted.number, reason="NOT_READY", text="it failed; the server's log says why")


def _reconfigured(reloader: Reloader, wanted: Reload) -> Reloaded:
    started, before = time.perf_counter(), reloader.config.fingerprint
    config = Config.model_validate_json(wanted.config)
    if config.fingerprint == before:
        return Reloaded(wanted.number, before, before)
    reloader.use(config)
    seconds = time.perf_counter() - started
    return Reloaded(wanted.number, config.fingerprint, before, switched=True, seconds=seconds)
