import inspect

import besom.errors as errors
from besom.errors import SweepConfigError


def test_every_error_is_in_the_drawn_tree():
    classes = [thing for thing in vars(errors).values() if inspect.isclass(thing)]
    assert all(thing.__name__ in (errors.__doc__ or "") for thing in classes if issubclass(thing, Exception))


def test_config_problems_read_as_lines():
    error = SweepConfigError(
        [
            {"file": "s.yaml", "line": 3, "column": 5, "key": "metric.goal", "sentence": "write minimize"},
            {"file": "", "line": None, "column": None, "key": "", "sentence": "the file is empty"},
        ]
    )
    assert str(error) == "s.yaml:3:5: metric.goal: write minimize\nthe file is empty"
