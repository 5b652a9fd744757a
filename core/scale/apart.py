"""A process of its own that finds boxes image by image, for :func:`core.scale.work.make_shard_apart`.

What to do comes from standard input; each image leaves by standard output as it is done.
"""

from __future__ import annotations

import os
import pickle
import sys

from core.base.errors import BoxscoutError, as_reason
from core.scale.work import boxes_of, failed


def main() -> None:
    """Work until the shard is done, or the process ends."""
    orders, task, first = pickle.load(sys.stdin.buffer)
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what a library prints must not get among the images
        for place in range(first, task.first + len(task.entries)):
            try:
                (found,) = boxes_of(orders, task, [place])
            except BoxscoutError as error:  # of the localizer: no image is to blame
                pickle.dump(error, out)
                return
            except Exception as error:
                found = failed(place, task.entries[place - task.first], as_reason(error))
            pickle.dump(found, out)
            out.flush()


if __name__ == "__main__":
    main()
