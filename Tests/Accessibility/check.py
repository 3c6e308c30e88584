# SPDX-License-Identifier: Apache-2.0
"""Checks pages in a browser: check.py CHROMIUM PAGE...

Each page is opened at a phone's and at a desk's width, light and dark. axe-core must find no
violation (WCAG 2.2 A and AA, and its best practices), the page must ask the network for nothing,
and must not scroll to the side. In print, nothing may reach over the paper's width, and what
scrolls on a screen must be whole.
"""

import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

PHONE, DESK = 375, 1280
# A4 with margins of 1 cm, in CSS pixels.
PAPER = 718
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll('body *')].filter(e =>
    e.getClientRects().length && e.getBoundingClientRect().right > width + 1 &&
    !e.closest('.scroll, pre'));
  return {scrolls: document.documentElement.scrollWidth > width,
          over: over.slice(0, 3).map(e => e.outerHTML.slice(0, 120))};
}"""

PRINTED = """() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll('body *')].filter(e => e.getClientRects().length &&
      (e.getBoundingClientRect().right > width + 1 ||
       (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) &&
        e.scrollWidth > e.clientWidth + 1)))
    .slice(0, 3).map(e => e.outerHTML.slice(0, 120));
}"""


def violations(page):
    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {v['help']}; {len(v['nodes'])} place(s), such as "
        f"{v['nodes'][0]['html'][:160]}"
        for v in found
    ]


def check(browser, file):
    problems = []
    for scheme in ("light", "dark"):
        for width in (PHONE, DESK):
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme
            )
            page = context.new_page()
            requests = []
            page.on("request", lambda request: requests.append(request.url))
            page.goto(file.as_uri(), wait_until="load")
            where = f"{width} px, {scheme}: "
            problems += [where + v for v in violations(page)]
            side = page.evaluate(OVERFLOW)
            if side["scrolls"] or side["over"]:
                problems.append(f"{where}scrolls to the side: {side['over']}")
            asked = [url for url in requests if url != file.as_uri()]
            if asked:
                problems.append(f"{where}asks the network for {asked}")
            context.close()
    context = browser.new_context(viewport={"width": PAPER, "height": 1000})
    page = context.new_page()
    page.goto(file.as_uri(), wait_until="load")
    page.emulate_media(media="print", color_scheme="dark")
    problems += [f"print: reaches over the paper: {e}" for e in page.evaluate(PRINTED)]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    if ground != "rgb(255, 255, 255)":
        problems.append(f"print: the paper is {ground}")
    context.close()
    return problems


def main():
    executable, pages = sys.argv[1], [pathlib.Path(p).resolve() for p in sys.argv[2:]]
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for file in pages:
            problems = check(browser, file)
            failed = failed or bool(problems)
            print(f"{file.name}: {'no problem' if not problems else ''}")
            for problem in problems:
                print(f"  {problem}")
        browser.close()
    sys.exit("error: there are problems" if failed else 0)


if __name__ == "__main__":
    main()
