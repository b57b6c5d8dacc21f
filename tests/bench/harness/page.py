# SPDX-License-Identifier: BSD-3-Clause
"""What the run writes into docs/performance.md: all between its two marker comments, and nothing else of the page."""
import judge

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


def cell(case, name):
    """A series' median; behind it how many times another one's, where a goal asks for that, bold where it is missed."""
    words = number(judge.median(case, name)) if name in case["rounds"][0] else ""
    for goal in case.get("goals", []):
        if goal["of"] == name and goal.get("to"):
            verdict = judge.Verdict({"cases": [case]}, case, goal)
            ratio = f"{verdict.found:.2f} ({verdict.low:.2f}-{verdict.high:.2f})"
            words += f"; {ratio}" if verdict.kept else f"; **{ratio}**"
    return words


def series_of(figure):
    return list(dict.fromkeys(name for case in figure["cases"] for name in case["rounds"][0]))


def table(figure):
    names = series_of(figure)
    label = figure.get("x_label", "")
    yield "| " + " | ".join([f"{label}", *names]) + " |"
    yield "| " + " | ".join(["---:" if label else ":---", *["---:"] * len(names)]) + " |"
    for case in figure["cases"]:
        head = number(case["x"]) if "x" in case else case["case"]
        yield "| " + " | ".join([head, *(cell(case, name) for name in names)]) + " |"


def goals(figure):
    """The goals in words, each once."""
    seen = {}
    for verdict in judge.verdicts(figure):
        of_what = f"of {verdict.to}" if verdict.to else f"{figure['unit']}" if "at_most" in verdict.goal else ""
        seen.setdefault(f"{verdict.wanted} {of_what}".strip(), set()).add(verdict.kept)
    return "; ".join(f"{words} ({'kept' if kept == {True} else '**not kept**' if kept == {False} else '**not always kept**'})"
                     for words, kept in seen.items())


def rounds_of(figure):
    counts = sorted({len(case["rounds"]) for case in figure["cases"]})
    return "counted" if figure.get("counted") else f"medians of {' to '.join(map(str, counts))} rounds"


def section(figure, plots):
    yield f"### {figure['title']}"
    yield ""
    wanted = goals(figure)
    yield f"{figure['unit'][0].upper()}{figure['unit'][1:]}, {rounds_of(figure)}." + (f" Goal: {wanted}." if wanted else "")
    yield ""
    yield from table(figure)
    notes = [note.rstrip(".") + "." for note in figure.get("notes", [])]
    if notes:
        yield from ("", " ".join(notes))
    if figure["figure"] in plots:
        yield from ("", f"![{figure['title']}]({plots[figure['figure']]})")
    yield ""


def written(found, plots):
    """@found: what run keeps in its JSON file.  @plots: {figure: where its plot is, seen from the page}."""
    lines = [f"{found['machine']}. {found['date']}.", ""]
    for figure in found["figures"]:
        lines += section(figure, plots)
    missed = judge.missed(found["figures"])
    lines += ["### What does not reach its goal", ""]
    lines += [f"- {verdict.sentence()}" for verdict in missed] or ["Nothing."]
    if found["skipped"]:
        lines += ["", *(f"- {name} is not here: {why}" for name, why in found["skipped"].items())]
    return "\n".join(lines)
