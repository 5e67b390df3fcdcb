"""The second half of `make demo`: finds the images, then hands over to `besom run`.

Images: FASHION_MNIST_DIR, else Debian's package (installed when we are root), else the public download. Without any
of them, or without PyTorch, the small example on scikit-learn's digits runs instead.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dataset-fashion-mnist"
DOWNLOADED = ROOT / ".data" / "fashion-mnist"
SOURCES = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
# MD5 of the unpacked files: the gzip around them differs from source to source.
FILES = {
    "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
}
# A source that says nothing for so long is not there, in seconds.
TIMEOUT_S = 15.0
APT_TIMEOUT_S = 180.0
AGENTS = 2


def main() -> NoReturn:
    if importlib.util.find_spec("torch") is None:
        run_digits("PyTorch is not installed")
    say("looking for the images of Fashion-MNIST")
    folder = given_folder() or debian_folder() or downloaded_folder()
    if folder is None:
        run_digits("the images are not to be had here (no FASHION_MNIST_DIR, no Debian package, no network)")
    print(f"images: {folder}", flush=True)
    fast = os.environ.get("FAST", "") not in ("", "0")
    size = "a tenth of the images" if fast else "60,000 images"
    say(f"six runs of 5 epochs, {AGENTS} at a time, {size}")
    run_example(ROOT / "examples" / "fashion-mnist", {"FASHION_MNIST_DIR": str(folder)})


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def given_folder() -> Path | None:
    given = os.environ.get("FASHION_MNIST_DIR")
    if not given:
        return None
    folder = Path(given).expanduser().absolute()
    if not is_complete(folder):
        missing = next(name for name in FILES if not (folder / name).is_file())
        sys.exit(f"demo: FASHION_MNIST_DIR is {folder}, which holds no {missing}: correct it or leave it out")
    return folder


def debian_folder() -> Path | None:
    if shutil.which("dpkg") is None:
        return None
    found = package_folder()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing Debian's {PACKAGE} (31 MB)", flush=True)
        if not apt_get("install", "-y", "--no-install-recommends", PACKAGE) and apt_get("update"):
            apt_get("install", "-y", "--no-install-recommends", PACKAGE)
        found = package_folder()
    return found


def package_folder() -> Path | None:
    listed = subprocess.run(["dpkg", "-L", PACKAGE], capture_output=True, text=True, check=False)
    folders = {Path(line).parent for line in listed.stdout.splitlines() if line.endswith("ubyte.gz")}
    return next((folder for folder in sorted(folders) if is_complete(folder)), None)


def apt_get(*arguments: str) -> bool:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            ["apt-get", "-q", *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def downloaded_folder() -> Path | None:
    if is_complete(DOWNLOADED):
        return DOWNLOADED
    for source in SOURCES:
        print(f"downloading from {source}", flush=True)
        try:
            for name, md5 in FILES.items():
                download(source + name, DOWNLOADED / name, md5)
        except (OSError, ValueError) as error:
            print(f"  not to be had there: {getattr(error, 'reason', error)}", flush=True)
        else:
            return DOWNLOADED
    return None


def download(url: str, target: Path, md5: str) -> None:
    """One file, checked and put in place whole; nothing is fetched twice. Raises OSError or ValueError."""
    if target.is_file():
        return
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
        packed = read_all(response.read, int(response.headers.get("Content-Length") or 0), target.name)
    if hashlib.md5(gzip.decompress(packed), usedforsecurity=False).hexdigest() != md5:
        raise ValueError(f"{target.name} is not the file that it should be")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_bytes(packed)
    draft.replace(target)


def read_all(read: Callable[[int], bytes], size: int, name: str) -> bytes:
    pieces: list[bytes] = []
    got = 0
    while piece := read(256 * 1024):
        pieces.append(piece)
        got += len(piece)
        if sys.stdout.isatty():
            share = f" of {size / 1e6:.1f}" if size else ""
            print(f"\r  {name} {got / 1e6:.1f}{share} MB ", end="", flush=True)
    start = "\r" if sys.stdout.isatty() else ""
    print(f"{start}  {name} {got / 1e6:.1f} MB          ".rstrip(), flush=True)
    return b"".join(pieces)


def run_digits(why: str) -> NoReturn:
    say(f"{why}: scikit-learn's small digits instead")
    if importlib.util.find_spec("sklearn") is None:
        pip = [sys.executable, "-m", "pip", "install", "scikit-learn"]
        uv = ["uv", "pip", "install", "--python", sys.executable, "scikit-learn"]
        command = pip if importlib.util.find_spec("pip") else uv
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit("demo: scikit-learn cannot be installed: the demo needs it or PyTorch, so it needs a network once")
    run_example(ROOT / "examples" / "digits", {})


def run_example(folder: Path, extra: dict[str, str]) -> NoReturn:
    """`besom run` in the example's folder, then how to use what is named in its last lines."""
    scripts = Path(sys.executable).parent
    environ = {**os.environ, **extra, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-m", "besom", "run", "sweep.yaml", "--agents", str(AGENTS)]
    process = subprocess.Popen(command, cwd=folder, env=environ)
    # Ctrl-C reaches `besom run` from the terminal, and what it means is decided there.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(number))
    code = process.wait()
    if os.environ.get("VIRTUAL_ENV") != str(scripts.parent):
        print(f"\nTo use these commands: . {scripts / 'activate'} && cd {folder}", flush=True)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
