# SPDX-License-Identifier: BSD-3-Clause
"""Medians, ratios, and whether a goal is reached."""
import statistics


def values(case, series):
    return [one[series] for one in case["rounds"]]


def median(case, series):
    return statistics.median(values(case, series))


def ratios(case, of, to):
    """One a round: both were measured in turn in it."""
    return [mine / its for mine, its in zip(values(case, of), values(case, to)) if its]


def quartiles(numbers):
    """(lower, median, upper)"""
    return tuple(statistics.quantiles(numbers, n=4, method="inclusive")) if len(numbers) > 1 else tuple(numbers) * 3


def name_of(case):
    return case["case"] or (f"{case['x']:,.0f}" if "x" in case else "")


class Verdict:
    """A goal of a case: what was found, and what was wanted."""

    def __init__(self, figure, case, goal):
        self.figure, self.case, self.goal = figure, case, goal
        self.of, self.to = goal["of"], goal.get("to")
        numbers = ratios(case, self.of, self.to) if self.to else values(case, self.of)
        self.low, self.found, self.high = quartiles(numbers)

    def others(self):
        """The series in every case that has to be the same."""
        return {median(case, self.of) for case in self.figure["cases"]
                if any(goal.get("flat") and goal["of"] == self.of for goal in case.get("goals", []))}

    @property
    def kept(self):
        if "flat" in self.goal:
            return len(self.others()) == 1
        holds = self.goal.get("or_holds")
        return self.found <= self.goal["at_most"] or (holds is not None and self.low <= holds <= self.high)

    @property
    def wanted(self):
        if "flat" in self.goal:
            return "the same in each case"
        holds = f", or its quartiles hold {self.goal['or_holds']:g}" if "or_holds" in self.goal else ""
        return f"at most {self.goal['at_most']:g}{holds}"


def told(missed):
    """One sentence for verdicts of the same figure, series and goal: from the least to the most."""
    first, found = missed[0], sorted(verdict.found for verdict in missed)
    span = " to ".join(dict.fromkeys(f"{number:.3g}" for number in (found[0], found[-1])))
    return (f"{first.figure['title']}: {first.of} is {span} {f'of {first.to}' if first.to else first.figure['unit']}, "
            f"wanted is {first.wanted}")


def verdicts(figure):
    return [Verdict(figure, case, goal) for case in figure["cases"] for goal in case.get("goals", [])]


def missed(figures, counted_only=False):
    return [verdict for figure in figures if figure.get("counted") or not counted_only
            for verdict in verdicts(figure) if not verdict.kept]


def sentences(found):
    """What is missed, told once for the cases of a figure that miss the same; those cases, where others do not."""
    groups = {}
    for verdict in found:
        groups.setdefault((verdict.figure["figure"], verdict.of, verdict.wanted), []).append(verdict)
    for group in groups.values():
        figure, where = group[0].figure, [name_of(verdict.case) for verdict in group]
        label = f" {figure['x_label']}" if "x_label" in figure else ""
        some = f" ({', '.join(where)}{label})" if len(where) < len(figure["cases"]) else ""
        yield told(group) + some
