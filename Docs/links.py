#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that links between the documents lead somewhere: files, headings and articles.

Usage: Docs/links.py FILE.md ...
"""
import pathlib
import re
import sys

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
ARTICLE = re.compile(r"<doc:([A-Za-z]+)>")


def text_of(path):
    """The text without blocks and spans of code, in which brackets mean something else."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"`[^`\n]*`", "``", text)


def anchors(path):
    """The anchors of a document's headings, as forges make them."""
    found = set()
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    for heading in re.findall(r"^#+ +(.*)$", text, flags=re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        number = 0
        while (slug if number == 0 else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if number == 0 else f"{slug}-{number}")
    return found


def problems(path):
    text = text_of(path)
    for match in LINK.finditer(text):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        if not file.exists():
            yield f"{path}: there is no {target}"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{path}: {file} has no heading #{anchor}"
    for article in ARTICLE.findall(text):
        # The site's contents alone may use them: elsewhere, a reader of the file finds no link.
        if path.name != "lcw.md":
            yield f"{path}: write [words]({article}.md) instead of <doc:{article}>"
        if not (path.parent / f"{article}.md").exists():
            yield f"{path}: there is no article {article}"


def main():
    found = [problem for name in sys.argv[1:] for problem in problems(pathlib.Path(name))]
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{len(sys.argv) - 1} documents, {len(found)} links lead nowhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
