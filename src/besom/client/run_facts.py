"""What is known of a run: names, addresses, attempt."""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class KnownRun(ABC):
    """The part of a `Run` that only tells facts, those of ``config.json`` in the run folder."""

    _facts: dict[str, Any]

    @property
    def id(self) -> str:
        """The run's id, unique in its project."""
        return str(self._facts["name"])

    @property
    def name(self) -> str:
        """The display name; the id where there is none."""
        return str(self._facts.get("display_name") or self._facts["name"])

    @name.setter
    def name(self, value: str) -> None:
        self._rename("display_name", str(value))

    @property
    def entity(self) -> str:
        """The entity; empty while no server has said which."""
        return str(self._facts.get("entity") or "")

    @property
    def project(self) -> str:
        """The project's name."""
        return str(self._facts.get("project") or "")

    @property
    def path(self) -> str:
        """``ENTITY/PROJECT/ID``."""
        return "/".join(part for part in (self.entity, self.project, self.id) if part)

    @property
    def url(self) -> str | None:
        """The page of the run; None while no server has said where."""
        return self._facts.get("url") or None

    @property
    def sweep_id(self) -> str | None:
        """The sweep that the run belongs to."""
        return self._facts.get("sweep_id") or None

    @property
    def sweep_url(self) -> str | None:
        """The page of the sweep."""
        return self._facts.get("sweep_url") or None

    @property
    def group(self) -> str | None:
        """The group given to `init`."""
        return self._facts.get("group")

    @property
    def job_type(self) -> str | None:
        """The job type given to `init`."""
        return self._facts.get("job_type")

    @property
    def notes(self) -> str | None:
        """The notes given to `init`."""
        return self._facts.get("notes")

    @notes.setter
    def notes(self, value: str | None) -> None:
        self._rename("notes", value)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags given to `init`."""
        return tuple(self._facts.get("tags") or ())

    @tags.setter
    def tags(self, value: Iterable[str]) -> None:
        self._rename("tags", list(value))

    @property
    def resumed(self) -> bool:
        """True if the run was begun before: load the checkpoint of the earlier attempt."""
        return bool(self._facts.get("resumed"))

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return int(self._facts.get("attempt") or 1)

    def _rename(self, word: str, value: Any) -> None:
        if self._facts.get(word) != value:
            self._facts[word] = value
            self._about_changed(word, value)

    @abstractmethod
    def _about_changed(self, word: str, value: Any) -> None:
        """Passes a new name, tags or notes on to the server."""
