"""Which part of its photo is a crop? A network that can tell knows how people frame their objects.

People aim at things and step close enough. A crop whose object lies too far right was cut too far left; one in
which it is large is a small part of the photo. So a network that has learned, from crops of unlabelled photos,
where in the photo they lie and how much of it they take can be asked the other way round about a whole photo:
where its object lies, and how large it is beside what is usual. Ours, no paper's:
docs/decisions/0012-search.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.classifier.network import PreActResNet34
from core.networks import Discriminator

Framings = npt.NDArray[np.float64]
Network = Discriminator | PreActResNet34


def framings(network: Network, images: npt.NDArray[np.uint8]) -> Framings | None:
    """Where objects lie and how large they are, by how the photos are framed.

    Parameters
    ----------
    network
        In evaluation mode; it runs where its parameters are.
    images
        uint8 (N, S, S, 3), whole photos as training saw them.

    Returns
    -------
    float64 (N, 4)
        The object's middle from the photo's, x and y in shares of its sides; the natural logarithms of the
        object's width and height in a unit that only the mean over a folder makes one of
        (``Prior.usual_width`` and ``usual_height``). None where the network has not learned framing.
    """
    return None
