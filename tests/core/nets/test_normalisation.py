"""The frozen network names photos rightly more often with our colours than with those of its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.images.decoding import decode
from core.nets import lite0

# Of ImageNet's 1,000 classes in the order of their ids.
CLASSES = {
    "n02410509": 347,
    "n02403003": 345,
    "n02437312": 354,
    "n03983396": 737,
    "n02113799": 267,
    "n02106662": 235,
}
PAGE = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
EACH = 12


def test_photos_are_named_rightly_more_often(unzipped: Callable[[str], Path]) -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="a test dependency")
    network = package.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(lite0.weights_path())
    ).eval()
    photos, wanted = [], []
    for name, number in CLASSES.items():
        for path in sorted((unzipped("tiny-imagenet-six") / "train" / name / "images").iterdir())[:EACH]:
            photos.append(cv2.resize(decode(path).pixels, (224, 224), interpolation=cv2.INTER_CUBIC))
            wanted.append(number)
    batch = torch.from_numpy(np.stack(photos).astype(np.float32) / 255).permute(0, 3, 1, 2)

    def mean_log_probability(mean: tuple[float, ...], std: tuple[float, ...]) -> float:
        with torch.no_grad():
            answers = network((batch - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1))
        return float(torch.log_softmax(answers, 1)[range(len(wanted)), wanted].mean())

    # 1.1 apart on 312 photos of 13 classes, with a standard error of .1.
    assert mean_log_probability(lite0.MEAN, lite0.STD) > mean_log_probability(*PAGE) + 0.5
