from besom.agents.sentences import error_text, last_words, run_place, shown_words

TRACE = b"""epoch 1
Traceback (most recent call last):
  File "a.py", line 1, in <module>
ValueError: old

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "train.py", line 3, in <module>
    1 / 0
ZeroDivisionError: division by zero
besom: WARNING something
"""


def test_the_last_words_are_the_last_traceback():
    assert last_words(TRACE) == [
        "Traceback (most recent call last):",
        '  File "train.py", line 3, in <module>',
        "    1 / 0",
        "ZeroDivisionError: division by zero",
    ]


def test_without_a_traceback_the_last_lines_count():
    assert last_words(b"\n".join(b"line %d" % number for number in range(9))) == [f"line {n}" for n in range(4, 9)]


def test_of_a_progress_bar_the_last_state_counts_and_colors_are_left_out():
    assert last_words(b"\x1b[31m 10%\r 20%\r 30%\x1b[0m\r\nkilled\n") == [" 30%", "killed"]


def test_bytes_that_are_no_text_are_shown_somehow():
    assert last_words(b"\xff\xfe bad\n") == ["\ufffd\ufffd bad"]


def test_nothing_printed_is_no_error_text():
    assert last_words(b"") == []
    assert error_text([]) is None


def test_a_long_traceback_is_shown_by_its_end():
    words = last_words(b"Traceback (most recent call last):\n" + b"\n".join(b"  frame %d" % n for n in range(100)))
    assert words[-1] == "  frame 99"
    assert len(words) == 20
    assert shown_words(words)[-1] == "  |   frame 99"
    assert len(shown_words(words)) == 8


def test_of_a_long_message_the_exception_and_the_end_are_kept():
    message = b"RuntimeError: cannot load\n" + b"".join(b"key %d\n" % n for n in range(100))
    words = last_words(b"Traceback (most recent call last):\n" + b"  frame\n" * 30 + message)
    assert (len(words), words[0], words[-1]) == (20, "Traceback (most recent call last):", "key 99")
    assert "  | RuntimeError: cannot load" in shown_words(words)
    assert shown_words(words)[-1] == "  | key 99"


def test_long_lines_are_cut_and_not_the_exception_off():
    sent = error_text(["Traceback (most recent call last):", "  frame", "ValueError: shape", "x" * 9000])
    assert "ValueError: shape\n" in sent
    assert len(sent) <= 4000


def test_where_in_the_sweep_a_run_is():
    assert run_place({"number": 3, "total": 6}) == "run 3 of 6"
    assert run_place({"number": 3, "total": None}) == "run 3"
