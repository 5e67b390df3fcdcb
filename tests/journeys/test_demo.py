"""`make demo` after its install, and the two examples."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from workshop import Workshop

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "fashion-mnist"


def _run(workshop: Workshop, **environ: str) -> subprocess.CompletedProcess[str]:
    done = workshop.command(str(ROOT / "scripts" / "demo.py"), place=workshop.folder, timeout_s=300, **environ)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


def _images() -> bool:
    listed = subprocess.run(["dpkg", "-L", "dataset-fashion-mnist"], capture_output=True, check=False)
    return bool(os.environ.get("FASHION_MNIST_DIR")) or b"ubyte" in listed.stdout


def test_the_sweep_file_is_the_tutorials():
    config = yaml.safe_load((EXAMPLE / "sweep.yaml").read_text())
    assert config["method"] == "grid"
    assert config["metric"] == {"name": "test_loss", "goal": "minimize"}
    assert config["parameters"] == {
        "learning_rate": {"values": [0.001, 0.01]},
        "batch_size": {"values": [32, 64, 128]},
        "epochs": {"value": 5},
    }


def test_the_two_versions_of_the_script_differ_in_the_modules_name_alone():
    ours = (EXAMPLE / "train.py").read_text().replace("import besom", "import wandb")
    ours = re.sub(r"\bbesom\.(init|log)\b", r"wandb.\1", ours)
    theirs = (EXAMPLE / "train_wandb.py").read_text()
    code = [sorted(line for line in text.splitlines()[7:] if line) for text in (ours, theirs)]
    assert code[0] == code[1]
    sweeps = [(EXAMPLE / name).read_text() for name in ("sweep.yaml", "sweep_wandb.yaml")]
    assert sweeps[0].replace("train.py", "train_wandb.py") == sweeps[1]


def _demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "scripts" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    return demo


@pytest.fixture
def source(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which a web server gives its files away."""
    (tmp_path / "source").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "source"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield tmp_path / "source", f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_downloaded_images_are_checked_and_put_in_place_whole(source, tmp_path, monkeypatch, capsys):
    folder, address = source
    demo = _demo()
    packed = {name: gzip.compress(name.encode() * 1000) for name in demo.FILES}
    for name, data in packed.items():
        (folder / name).write_bytes(data)
        monkeypatch.setitem(demo.FILES, name, hashlib.md5(gzip.decompress(data)).hexdigest())
    monkeypatch.setattr(demo, "DOWNLOADED", tmp_path / "images")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(demo, "SOURCES", (f"{address}not-there/", address))
    assert demo.downloaded_folder() == tmp_path / "images"
    assert {name: (tmp_path / "images" / name).read_bytes() for name in packed} == packed
    assert "not to be had there: File not found" in capsys.readouterr().out


def test_a_download_that_is_something_else_is_not_kept(source, tmp_path, monkeypatch, capsys):
    folder, address = source
    demo = _demo()
    for name in demo.FILES:
        (folder / name).write_bytes(gzip.compress(b"<html>sign in first</html>"))
    monkeypatch.setattr(demo, "DOWNLOADED", tmp_path / "images")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(demo, "SOURCES", (address,))
    assert demo.downloaded_folder() is None
    assert not (tmp_path / "images").exists()
    assert "is not the file that it should be" in capsys.readouterr().out


def test_a_named_folder_without_the_images_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match=r"holds no train-images-idx3-ubyte.gz: correct it or leave it out"):
        _demo().given_folder()


def test_without_images_and_network_the_demo_says_so_and_runs_the_digits(workshop):
    nowhere = "http://127.0.0.1:9"
    path = str(Path(sys.executable).parent)
    done = _run(workshop, PATH=path, FASHION_MNIST_DIR="", http_proxy=nowhere, https_proxy=nowhere)
    assert "scikit-learn's small digits instead" in done.stdout
    assert len(re.findall(r" finished ", done.stdout)) == 6
    (sweep,) = json.loads(workshop.besom("ls", "-p", "digits", "--json").stdout)
    assert (sweep["state"], sweep["runs"]["finished"]) == ("finished", 6)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch (make demo installs it)")
@pytest.mark.skipif(not _images(), reason="needs the images (FASHION_MNIST_DIR or Debian's dataset-fashion-mnist)")
def test_the_fast_demo_ends_with_six_runs_and_the_best_params(workshop):
    done = _run(workshop, FAST="1")
    assert "epoch 5/5" in done.stderr
    assert re.search(r"besom: [1-6] of 6 runs.*left", done.stderr)
    scores = [float(line.split()[2]) for line in done.stdout.splitlines() if " finished " in line]
    assert len(scores) == 6
    assert scores == sorted(scores)
    assert "  batch_size: 32\n" in done.stdout
    assert "As flags: --batch_size=32 --epochs=5 --learning_rate=0.01" in done.stdout
    for step in ("besom open ", "besom server stop", "besom run sweep.yaml", "bin/activate"):
        assert step in done.stdout
    (sweep,) = json.loads(workshop.besom("ls", "-p", "fashion-mnist", "--json").stdout)
    best = json.loads(workshop.besom("show", sweep["id"], "--json").stdout)["best"]
    assert set(best["summary"]) >= {"train_loss", "test_loss", "test_acc"}
    assert best["params"] == {"batch_size": 32, "epochs": 5, "learning_rate": 0.01}
