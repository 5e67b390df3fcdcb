"""The training of the monkey's sweeps, as an agent starts it. What it logs follows from seed, x, attempt and counter.

``x`` decides the character: one keeps checkpoints, one ignores SIGTERM, one starts a process of its own, one fails.
"""

import json
import os
import random
import signal
import string
import subprocess
import sys
import time

CHARACTERS = ("plain", "resumes", "stubborn", "quick", "parent", "resumes", "plain", "fails")


def character(x):
    """What kind of script the run with this ``x`` is."""
    return CHARACTERS[x % len(CHARACTERS)]


def payload(seed, x, attempt, counter):
    """The row of a step: attempt and counter, numbers, and text of varying length."""
    chance = random.Random(f"{seed}/{x}/{attempt}/{counter}")
    row = {"attempt": attempt, "counter": counter, "loss": chance.random(), "number": chance.gauss(0, 1e6)}
    if chance.random() < 0.5:
        row["text"] = "".join(chance.choices(string.printable + "äß☃𝄞", k=int(chance.expovariate(1 / 150))))
    if chance.random() < 0.1:
        row["list"] = [chance.randrange(1000) for _ in range(chance.randrange(30))]
    if chance.random() < 0.05:
        row[f"rare{chance.randrange(5)}"] = chance.choice([1, -1]) * float("inf")
    return row


class Journal:
    """What came back from ``log()``, outside of Besom: a line each."""

    def __init__(self, folder, uid, attempt):
        name = os.path.join(folder, f"{uid}-{attempt}-{os.getpid()}.jsonl")
        self.file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(self, **what):
        os.write(self.file, json.dumps(what).encode() + b"\n")


def main():
    import besom

    environ = os.environ
    seed, rows, pause_s = environ["MONKEY_SEED"], int(environ["MONKEY_ROWS"]), float(environ["MONKEY_PAUSE"])
    uid, attempt = environ["BESOM_RUN_UID"], int(environ["BESOM_ATTEMPT"])
    run = besom.init()
    x = int(run.config["x"])
    kind = character(x)
    prepare(run, kind)
    checkpoint = os.path.join(environ["MONKEY_JOURNALS"], f"{uid}.checkpoint")
    first = resume_at(checkpoint) if kind == "resumes" and attempt > 1 else 0
    journal = Journal(environ["MONKEY_JOURNALS"], uid, attempt)
    journal.tell(uid=uid, x=x, attempt=attempt, first=first)
    run.define_metric("number", summary="mean")
    for counter in range(first, rows):
        lost = run._spool.dropped
        run.log(payload(seed, x, attempt, counter), step=counter)
        # Of a row that found room for a part only, the rest is written as soon as there is room, or never.
        journal.tell(counter=counter, kept=run._spool.dropped == lost and not run._spool._unwritten)
        if kind == "resumes" and counter % 5 == 4:
            save(checkpoint, counter + 1)
        if kind != "quick":
            time.sleep(pause_s)
    print(f"x = {x}, attempt {attempt}: done", flush=True)
    run.finish(7 if kind == "fails" else 0)
    journal.tell(bytes=os.stat(os.path.join(environ["BESOM_RUN_DIR"], f"{attempt}-w1", "history.bin")).st_size)
    if kind == "fails":
        sys.exit(7)


def prepare(run, kind):
    """What the character does before it trains."""

    def preempted(number, frame):
        run.mark_preempting()
        os._exit(75)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else preempted)
    if kind == "parent":
        subprocess.Popen(["sleep", "600"])


def resume_at(checkpoint):
    """The step to go on at."""
    try:
        with open(checkpoint, encoding="utf-8") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0


def save(checkpoint, step):
    """Keeps a step, whole or not at all."""
    with open(f"{checkpoint}~{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(str(step))
    os.replace(f"{checkpoint}~{os.getpid()}", checkpoint)


if __name__ == "__main__":
    main()
