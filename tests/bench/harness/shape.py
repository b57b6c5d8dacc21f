# SPDX-License-Identifier: BSD-3-Clause
"""What a program may print (README.md), checked: each fault is one sentence that names the figure."""
import json
import math
import re

LEAST_ROUNDS = 11
KEYS = {"figure", "title", "unit", "x_label", "cases", "counted", "few_rounds", "notes"}
CASE_KEYS = {"case", "x", "rounds", "goals"}
GOAL_KEYS = {"of", "to", "at_most", "or_holds", "flat"}


class Wrong(Exception):
    """A program printed something else."""


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def faults_of_goal(goal, series):
    if not isinstance(goal, dict) or set(goal) - GOAL_KEYS:
        yield f"a goal has {', '.join(sorted(GOAL_KEYS))} only, not {goal!r}"
        return
    for key in ("of", "to"):
        if key in goal and goal[key] not in series:
            yield f'a goal speaks of "{goal[key]}", series are {", ".join(series)}'
    if "of" not in goal or ("at_most" in goal) == ("flat" in goal):
        yield f'a goal needs "of", and either "at_most" or "flat": {goal!r}'
    for key in ("at_most", "or_holds"):
        if key in goal and not is_number(goal[key]):
            yield f'a goal\'s "{key}" is a number, not {goal[key]!r}'


def faults_of_rounds(rounds):
    if not isinstance(rounds, list) or not rounds or not all(isinstance(one, dict) and one for one in rounds):
        yield '"rounds" is a list of {series: number}'
        return
    if any(set(one) != set(rounds[0]) for one in rounds):
        yield "every round has every series"
    if not all(is_number(value) and value >= 0 for one in rounds for value in one.values()):
        yield "a round has numbers, none below 0"


def faults_of_case(case, figure, quick):
    if not isinstance(case, dict) or set(case) - CASE_KEYS or not isinstance(case.get("case"), str):
        yield f'a case has {", ".join(sorted(CASE_KEYS))} only, and "case" is its name: {case!r:.80}'
        return
    found = list(faults_of_rounds(case.get("rounds")))
    yield from found
    if found:
        return
    if len(case["rounds"]) < LEAST_ROUNDS and not (quick or figure.get("counted") or figure.get("few_rounds")):
        yield f'case "{case["case"]}" has {len(case["rounds"])} rounds, at least {LEAST_ROUNDS} are needed'
    if ("x" in case) != ("x_label" in figure) or not is_number(case.get("x", 0)):
        yield 'each case has a number "x" where the figure has "x_label", and none else'
    for goal in case.get("goals", []):
        yield from faults_of_goal(goal, case["rounds"][0])


def faults(figure, quick):
    if not isinstance(figure, dict) or set(figure) - KEYS:
        yield f"a figure has {', '.join(sorted(KEYS))} only"
        return
    for key in ("title", "unit"):
        if not isinstance(figure.get(key), str):
            yield f'"{key}" is a few words'
    if not re.fullmatch(r"[a-z0-9-]+", str(figure.get("figure"))):
        yield '"figure" is a name of small letters, digits and -'
    if not isinstance(figure.get("cases"), list) or not figure["cases"]:
        yield '"cases" is a list, and not empty'
        return
    if not all(isinstance(note, str) for note in [figure.get("few_rounds", ""), *figure.get("notes", [])]):
        yield '"notes" are sentences'
    for case in figure["cases"]:
        yield from faults_of_case(case, figure, quick)


def checked(figure, quick, who):
    """@figure, which @who printed; raises Wrong."""
    found = list(faults(figure, quick))
    if found:
        name = figure.get("figure", "?") if isinstance(figure, dict) else "?"
        raise Wrong(f"{who}: figure {name}: {'; '.join(found)}")
    return figure


def read(text, quick, who):
    """The figures of a program's whole output, and why it skipped, or None."""
    figures, why = [], None
    for line in text.splitlines():
        if line.startswith("skipped: "):
            why = line.partition(": ")[2]
            continue
        try:
            figures.append(checked(json.loads(line), quick, who))
        except ValueError as error:
            raise Wrong(f"{who}: one JSON object a line is right, not {line[:60]!r} ({error})") from None
    return figures, why
