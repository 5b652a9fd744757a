"""Turn what the person wants into calls of :mod:`core`, in worker threads where they take time."""
