# SPDX-License-Identifier: BSD-3-Clause
"""What the run writes into docs/performance.md: all between its two marker comments, and nothing else of the page."""
import textwrap

import judge

UNITS = {"ns": "Nanoseconds", "us": "Microseconds", "ms": "Milliseconds"}
BEGIN = "<!-- tests/bench/run writes from here ... -->"
END = "<!-- ... to here -->"


class NoMarkers(Exception):
    """The page has not exactly one pair of them."""


def replaced(page, text):
    """@page with @text between the markers."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise NoMarkers(f"the page needs one line '{BEGIN}' and, after it, one line '{END}'")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{rest.partition(END)[2]}"


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def verdict_of(case, goal):
    return judge.Verdict({"cases": [case]}, case, goal)


def cell(case, name):
    """A series' median; behind it how many times another one's, where a goal asks for that; bold where it is missed."""
    if name not in case["rounds"][0]:
        return ""
    words = number(judge.median(case, name))
    goals_of = [goal for goal in case.get("goals", []) if goal["of"] == name and "at_most" in goal]
    for goal in goals_of:
        verdict = verdict_of(case, goal)
        if verdict.to:
            of_what = f" of {verdict.to}" if len(goals_of) > 1 else ""
            ratio = f"{verdict.found:.2f} ({verdict.low:.2f}-{verdict.high:.2f}){of_what}"
            words += f"; {ratio}" if verdict.kept else f"; **{ratio}**"
        elif not verdict.kept:
            words = f"**{words}**"
    return words


def series_of(figure):
    return list(dict.fromkeys(name for case in figure["cases"] for name in case["rounds"][0]))


def table(figure):
    names = series_of(figure)
    label = figure.get("x_label", "")
    yield "| " + " | ".join([f"{label}", *names]) + " |"
    yield "| " + " | ".join(["---:" if label else ":---", *["---:"] * len(names)]) + " |"
    for case in figure["cases"]:
        first = number(case["x"]) if "x" in case else case["case"]
        yield "| " + " | ".join([first, *(cell(case, name) for name in names)]) + " |"


def goals(figure):
    """The goals in words, each once, and whether it is kept in every case."""
    seen = {}
    for verdict in judge.verdicts(figure):
        of_what = f" of {verdict.to}" if verdict.to else f" {figure['unit']}" if "at_most" in verdict.goal else ""
        seen.setdefault(f"{verdict.wanted}{of_what}", []).append(verdict.kept)
    for words, kept in seen.items():
        yield f"{words} ({'kept' if all(kept) else '**not kept everywhere**' if any(kept) else '**not kept**'})"


def head(figure):
    unit = UNITS.get(figure["unit"], figure["unit"].capitalize())
    counts = sorted({len(case["rounds"]) for case in figure["cases"]})
    how = "counted" if figure.get("counted") else f"medians of {' to '.join(map(str, counts))} rounds"
    wanted = "; ".join(goals(figure))
    return f"{unit}, {how}." + (f" Wanted: {wanted}." if wanted else "")


def paragraph(words):
    return textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)


def section(figure, plots):
    yield from (f"### {figure['title']}", "", paragraph(head(figure)), "")
    yield from table(figure)
    said = [*figure.get("notes", []), figure.get("few_rounds", "")]
    notes = [note[0].upper() + note[1:].rstrip(".") + "." for note in said if note]
    if notes:
        yield from ("", paragraph(" ".join(notes)))
    if figure["figure"] in plots:
        yield from ("", f"![{figure['title']}]({plots[figure['figure']]})")
    yield ""


def written(found, plots):
    """@found: what run keeps in its JSON file.  @plots: {figure: where its plot is, seen from the page}."""
    lines = [paragraph(f"{found['machine']}. {found['date']}."), ""]
    for figure in found["figures"]:
        lines += section(figure, plots)
    missed = judge.missed(found["figures"])
    lines += ["### What does not reach its goal", ""]
    lines += [paragraph(f"- {sentence}.") for sentence in judge.sentences(missed)] or ["Nothing."]
    if found["skipped"]:
        lines += ["", *(f"- {name} is not here: {why}" for name, why in found["skipped"].items())]
    return "\n".join(lines)
