"""Reloads in a worker."""

import logging
from pathlib import Path

from vitrine.app.reload import Reloader
from vitrine.app.workers.messages import Reload, Reloaded
from vitrine.config import Config
from vitrine.errors import BundleRefused, ConfigError, ConfigRefused

log = logging.getLogger(__name__)


def reloaded(reloader: Reloader, wanted: Reload) -> Reloaded:
    """Switches to the bundle that the owner keeps, or to a configuration; what came of it."""
    try:
        if wanted.config:
            config = Config.model_validate_json(wanted.config)
            switched = config.fingerprint != reloader.config.fingerprint
            if switched:
                reloader.use(config)
            return Reloaded(switched)
        if wanted.bundle:
            reloader.folder = Path(wanted.bundle)
        return Reloaded(reloader.reload(wanted.expected).switched)
    except (BundleRefused, ConfigRefused) as refused:
        return Reloaded(reason=refused.reason, text=refused.description)
    except ConfigError as error:
        return Reloaded(reason="INVALID_CONFIG", text=str(error))
    except Exception:
        log.exception("a reload failed")
        return Reloaded(reason="NOT_READY", text="it failed; the server's log says why")
