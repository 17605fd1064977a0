"""The front: one call per window, over the three services, within the caller's deadline."""
