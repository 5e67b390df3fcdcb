"""Trains a linear classifier on scikit-learn's digits (8×8 pixels), about a second, and logs each epoch.

By hand:      python train.py --alpha=0.001
Under Besom:  besom run sweep.yaml
"""

from __future__ import annotations

import argparse
import os

# Several agents share the machine: one thread each is faster than all in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import besom


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a linear classifier on the digits.")
    parser.add_argument("--learning_rate", type=float, default=0.01)
    parser.add_argument("--alpha", type=float, default=1e-4, help="weight of the L2 penalty")
    parser.add_argument("--epochs", type=int, default=9)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with besom.init(config=vars(args)) as run:
        config = run.config
        pixels, labels = load_digits(return_X_y=True)
        x_train, x_test, y_train, y_test = train_test_split(pixels / 16, labels, test_size=0.3, random_state=0)
        model = SGDClassifier(
            loss="log_loss",
            learning_rate="constant",
            eta0=config["learning_rate"],
            alpha=config["alpha"],
            random_state=0,
        )
        for epoch in range(config["epochs"]):
            model.partial_fit(x_train, y_train, classes=np.arange(10))
            test_loss = log_loss(y_test, model.predict_proba(x_test), labels=model.classes_)
            test_acc = model.score(x_test, y_test)
            besom.log({"test_loss": test_loss, "test_acc": test_acc}, step=epoch)
            if (epoch + 1) % max(1, config["epochs"] // 9) == 0:
                print(
                    f"epoch {epoch + 1}/{config['epochs']}  test_loss {test_loss:.3f}  test_acc {test_acc:.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
