"""Trains a small network (784-512-512-10) on Fashion-MNIST and logs how it does.

By hand:      python train.py --learning_rate=0.01
Under Besom:  besom run sweep.yaml
"""

from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import besom

DEBIAN_DATA = "/usr/share/datasets/fashion-mnist"  # apt-get install dataset-fashion-mnist
DATA_DIR = os.environ.get("FASHION_MNIST_DIR") or DEBIAN_DATA
FAST = os.environ.get("FAST", "") not in ("", "0")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small network on Fashion-MNIST.")
    parser.add_argument("--learning_rate", type=float, default=0.01)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data-dir", default=DATA_DIR, help="folder with the four .gz files (FASHION_MNIST_DIR)")
    parser.add_argument("--fast", action="store_true", default=FAST, help="a tenth of the images (FAST=1)")
    return parser.parse_args()


def read_idx(path: Path) -> np.ndarray:
    """The array in a gzipped IDX file: bytes, with the number of axes and their lengths in front."""
    with gzip.open(path) as file:
        data = bytearray(file.read())
    axes = data[3]
    shape = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def load(folder: Path, part: str, fast: bool) -> tuple[Tensor, Tensor]:
    """Images as rows of 784 numbers in 0…1 and their labels. All of it fits into memory, so no DataLoader."""
    images = folder / f"{part}-images-idx3-ubyte.gz"
    labels = folder / f"{part}-labels-idx1-ubyte.gz"
    if not images.exists() or not labels.exists():
        raise SystemExit(f"{folder} holds no {images.name}: name the folder of the images by FASHION_MNIST_DIR")
    every = 10 if fast else 1
    pixels = torch.from_numpy(read_idx(images)[::every]).flatten(1).float().div_(255)
    return pixels, torch.from_numpy(read_idx(labels)[::every].astype(np.int64))


def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, batch_size: int) -> float:
    """One pass over the images in a new random order; returns the mean loss."""
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x)).split(batch_size):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)


@torch.no_grad()
def evaluate(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss and the share of images that the model names rightly."""
    model.eval()
    logits = model(x)
    loss = nn.functional.cross_entropy(logits, y).item()
    return loss, (logits.argmax(1) == y).float().mean().item()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)  # several agents share the machine: one thread each is faster than all in each other's way
    torch.manual_seed(0)

    hyperparameters = {"learning_rate": args.learning_rate, "batch_size": args.batch_size, "epochs": args.epochs}
    with besom.init(config=hyperparameters) as run:
        config = run.config
        x_train, y_train = load(Path(args.data_dir), "train", args.fast)
        x_test, y_test = load(Path(args.data_dir), "t10k", args.fast)
        print(f"{len(x_train)} images to train on, {len(x_test)} to test with", flush=True)

        model = nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(),
            nn.Linear(512, 512), nn.ReLU(),
            nn.Linear(512, 10),
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=config["learning_rate"])

        for epoch in range(config["epochs"]):
            train_loss = train_epoch(model, optimizer, x_train, y_train, config["batch_size"])
            besom.log({"train_loss": train_loss}, step=epoch)
            test_loss, test_acc = evaluate(model, x_test, y_test)
            besom.log({"test_loss": test_loss, "test_acc": test_acc}, step=epoch)
            print(
                f"epoch {epoch + 1}/{config['epochs']}  train_loss {train_loss:.3f}  "
                f"test_loss {test_loss:.3f}  test_acc {test_acc:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
