import io

from besom.agents.screen import Screen, text_screen


def test_the_agents_line_begins_on_a_line_of_its_own():
    shown = bytearray()
    screen = Screen(shown.extend, lambda line: shown.extend(line.encode()))
    screen.show(b"epoch 1")
    screen.say("hello")
    screen.say("again")
    screen.show(b"epoch 2\n")
    screen.say("bye")
    assert bytes(shown) == b"epoch 1\nbesom: hello\nbesom: again\nepoch 2\nbesom: bye\n"


def test_a_terminal_that_is_gone_is_left_alone():
    written = []

    def write(piece):
        written.append(piece)
        raise BrokenPipeError

    screen = Screen(write, write)
    screen.show(b"one")
    screen.show(b"two")
    screen.say("three")
    assert written == [b"one"]


def test_text_that_is_cut_within_a_character_is_put_together():
    stream = io.StringIO()
    screen = text_screen(stream)
    for byte in "über\n".encode():
        screen.show(bytes([byte]))
    assert stream.getvalue() == "über\n"
