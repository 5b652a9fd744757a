"""What tests of films share: a film made by PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, RATE = 96, 64, 10


def saved_film(path: Path, *, seconds: float = 5.0, turned: int = 0, taken: str = "") -> Path:
    """A field that gets brighter by 20 levels a second, up to 250, with a white block in its upper left."""
    with av.open(str(path), "w") as container:
        if taken:
            container.metadata["creation_time"] = taken
        stream = container.add_stream("mpeg4", rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p")
        stream.bit_rate = 4_000_000
        if turned:
            stream.set_display_rotation(turned)
        for number in range(int(seconds * RATE)):
            picture = np.full((HEIGHT, WIDTH, 3), min(20 + 2 * number, 250), np.uint8)
            picture[:16, :32] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
