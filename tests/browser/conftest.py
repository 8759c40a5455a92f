"""A browser for each worker, and the pages of the gallery, made once by the command line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import sync_playwright

from tests import gallery
from tests.conftest import Clone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Scheme = Literal["light", "dark"]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = {
    "experiment": ("unet-512", "--parent", gallery.PARENT),
    "hostile": ("hostile", "--parent", gallery.TAG),
    "public": ("unet-512", "--parent", gallery.PARENT, "--public"),
    "all": ("--all",),
}


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium; without it these tests fail."""
    if not CHROMIUM.exists():
        pytest.fail("Chromium is missing: apt-get install chromium, or dev/test", pytrace=False)
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def made() -> dict[str, str]:
    """The pages that were made already."""
    return {}


@pytest.fixture
def pages(clone: Clone, tmp_path_factory: pytest.TempPathFactory, made: dict[str, str]) -> dict[str, str]:
    """Every kind of page as text, with checks made where none needs a network."""
    if not made:
        gallery.copied(clone, tmp_path_factory.getbasetemp() / "gallery")
        for name, words in PAGES.items():
            done = clone.rvexp("report", *words, "--check", "0", "-o", "-")
            assert done.returncode == 0, done.stderr
            made[name] = done.stdout
    return made


@dataclass
class Window:
    """One page in a browser: what it tried to load beside itself, what of that left it, and what it complained of."""

    page: "Page"
    tried: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Opener:
    """Shows pages from files."""

    browser: "Browser"
    pages: dict[str, str]
    folder: Path

    def __call__(self, name: str, width: int = 1280, scheme: Scheme = "light", *, script: bool = True) -> Window:
        """The page called `name` in a window of its own; nothing but its own file is served."""
        context = self.browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        window = Window(context.new_page())
        file = self.folder / f"{name}.html"
        file.write_text(self.pages[name])

        def route(asked: "Route") -> None:
            if asked.request.url == file.as_uri():
                asked.continue_()
            else:
                window.asked.append(asked.request.url)
                asked.abort()

        context.route("**/*", route)
        window.page.on("request", lambda r: None if r.url == file.as_uri() else window.tried.append(r.url))
        window.page.on("console", lambda message: window.told.append(message.text))
        window.page.on("pageerror", lambda error: window.told.append(str(error)))
        window.page.on("dialog", lambda dialog: window.told.append(dialog.message))
        window.page.goto(file.as_uri())
        return window


@pytest.fixture
def opened(browser: "Browser", pages: dict[str, str], tmp_path: Path) -> Iterator[Opener]:
    """Opens pages; all windows are closed at the end."""
    yield Opener(browser, pages, tmp_path)
    for context in browser.contexts:
        context.close()
