"""The page on which one signs in. Pure."""

from __future__ import annotations

from besom.server.markup import element
from besom.server.pages import document


def login(following: str, problem: str | None = None) -> str:
    """The form that takes a token."""
    return document(
        "Sign in",
        element(
            "section",
            element("h1", "Sign in"),
            element(
                "p", "Paste a token. On the server's machine ", element("code", "besom open"),
                " signs you in by itself, and ", element("code", "besom server token"), " prints one.",
            ),
            element("p", problem, cls="problem", role="alert") if problem else None,
            element(
                "form",
                element("label", "Token", for_="token"),
                element(
                    "input", type="password", id="token", name="token", required=True, autofocus=True,
                    autocomplete="off", spellcheck="false",
                ),
                element("input", type="hidden", name="next", value=following),
                element("button", "Sign in", type="submit"),
                method="post", action="/login",
            ),
            cls="card narrow",
        ),
    )  # fmt: skip


def again(path: str) -> str:
    """A page that asks for another one at once, as a page of ours."""
    return (
        "<!doctype html>\n"
        + element(
            "html",
            element("head", element("meta", charset="utf-8"), element("title", "Besom"),
                    element("meta", http_equiv="refresh", content=f"0; url={path}")),
            element("body", element("a", "Go on", href=path)),
            lang="en",
        )
    )  # fmt: skip
