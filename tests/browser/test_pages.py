"""What a reader gets to see: fitting, legible, complete on paper, without a request, whatever the record holds."""

import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import PAGES, Opener, Scheme
from tests.gallery import TAG

EVERY = list(PAGES)
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
_OVER = "() => document.documentElement.scrollWidth - window.innerWidth"
_BEYOND = """() => [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg, pre'))
  .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", EVERY)
def test_it_fits_and_asks_for_nothing(opened: Opener, name: str, width: int, scheme: Scheme) -> None:
    """No sideways scrolling, no request, no complaint, in every size and colour; and the colours do differ."""
    window = opened(name, width, scheme)
    assert window.page.evaluate(_OVER) <= 0
    assert window.page.evaluate(_BEYOND) == []
    assert (window.tried, window.asked, window.told) == ([], [], [])
    background = window.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(247, 247, 245)", "dark": "rgb(18, 20, 23)"}[scheme]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", EVERY)
def test_it_has_no_serious_defect_of_accessibility(opened: Opener, name: str, scheme: Scheme) -> None:
    """axe-core finds nothing serious or critical: contrast, names, roles, structure."""
    found = Axe().run(opened(name, 1280, scheme).page).response["violations"]
    grave = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []


def test_axe_would_find_one(opened: Opener) -> None:
    """The twin: a label taken away is found."""
    page = opened("all").page
    page.evaluate("document.querySelector('label[for=words]').remove()")
    found = Axe().run(page).response["violations"]
    assert "label" in {v["id"] for v in found}


@pytest.mark.parametrize("name", ["hostile", "all"])
def test_hostile_texts_do_nothing(opened: Opener, name: str) -> None:
    """Nothing ran, no element was made of them, and they can be read."""
    page = opened(name).page
    assert page.evaluate("typeof window.owned") == "undefined"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == (2 if name == "all" else 1)
    assert "window.owned=1" in page.inner_text("body")


def test_the_policy_holds_even_if_a_template_did_not(opened: Opener, pages: dict[str, str]) -> None:
    """The twin: markup that gets into a page all the same neither runs nor loads anything."""
    evil = '<script>window.owned=1</script><img src="https://evil.example/x" onerror="window.owned=2">'
    pages = {**pages, "broken": pages["experiment"].replace("<main>", f"<main>{evil}")}
    window = Opener(opened.browser, pages, opened.folder)("broken")
    assert window.page.locator("img").count() == 1
    assert window.page.evaluate("typeof window.owned") == "undefined"
    assert window.told
    assert (window.tried, window.asked) == (["https://evil.example/x"], [])


@pytest.mark.parametrize("name", ["experiment", "all"])
def test_on_paper_everything_is_there(opened: Opener, name: str, tmp_path: Path) -> None:
    """Printed from the dark: dark ink on white, and what was folded is open."""
    page = opened(name, scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media()
    pdf = tmp_path / "page.pdf"
    page.pdf(path=pdf, format="A4")
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout
    joined = "".join(text.split())
    for expected in ("unet-512", "2h42min") if name == "all" else (TAG, 'planned run="'.replace(" ", ""), "docker run"):
        assert expected.replace(" ", "") in joined


def test_the_table_is_filtered_without_a_script(opened: Opener) -> None:
    """By state, with the script forbidden; the field that would need it is not shown."""
    page = opened("all", script=False).page
    assert page.locator("tbody tr:visible").count() == 4
    assert not page.locator("#words").is_visible()
    page.get_by_role("radio", name="failed").check()
    assert page.locator("tbody tr:visible th b").all_inner_texts() == ["mask"]
    page.get_by_role("radio", name="roads").check()
    assert page.locator("tbody tr:visible").count() == 0
    page.get_by_role("group", name="state").get_by_label("all").check()
    assert page.locator("tbody tr:visible").count() == 3


def test_the_table_is_searched_by_words(opened: Opener) -> None:
    """All of them have to be there; how many rows hold them is told."""
    page = opened("all").page
    page.get_by_label("words").fill("roads UNET")
    page.get_by_text("2 of 4 hold these words").wait_for()
    assert page.locator("tbody tr:visible").count() == 2
    page.get_by_label("words").fill("nothing of the kind")
    page.get_by_text("0 of 4 hold these words").wait_for()
    assert page.locator("tbody tr:visible").count() == 0
