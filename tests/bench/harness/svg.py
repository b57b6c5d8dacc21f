# SPDX-License-Identifier: BSD-3-Clause
"""A plot of a figure's series over x as SVG: two axes with their units, lines, a legend.  No script, no style sheet."""
import math
from xml.sax.saxutils import escape

import judge

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 78, 190, 42, 52  # at the right is the legend
COLOURS = ("#1f5fa8", "#c8511b", "#4d4d4d", "#2f8f4e", "#8a4fa3")
DASHES = ("", "7 4", "2 3", "10 3 2 3", "")
FONT = "font-family='sans-serif'"


def text(x, y, words, anchor="middle", size=12, more=""):
    return (f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {FONT} font-size='{size}'{more}>"
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, colour, dash="", width=1):
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    return (f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'"
            f"{dashes}/>")


def short(number):
    return f"{number:,.0f}" if number >= 1 or number == 0 else f"{number:g}"


def nice_step(largest, count=5):
    """1, 2 or 5 times a power of ten, so that about so many reach the largest."""
    rough = largest / count or 1
    power = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


class Linear:
    """From 0 to the largest."""

    def __init__(self, numbers, start, end):
        self.step = nice_step(max(numbers))
        self.most = math.ceil(max(numbers) / self.step) * self.step
        self.start, self.end = start, end

    def place(self, number):
        return self.start + (self.end - self.start) * number / self.most

    def ticks(self):
        return [index * self.step for index in range(round(self.most / self.step) + 1)]


class Logarithmic:
    """Powers of ten, from the one below the smallest to the one above the largest; 0 has a place before them."""

    def __init__(self, numbers, start, end):
        self.has_zero = min(numbers) <= 0
        above = [number for number in numbers if number > 0]
        self.low = math.floor(math.log10(min(above))) - self.has_zero
        self.high = max(math.ceil(math.log10(max(above))), self.low + 1)
        self.start, self.end = start, end

    def place(self, number):
        power = math.log10(number) if number > 0 else self.low
        return self.start + (self.end - self.start) * (power - self.low) / (self.high - self.low)

    def ticks(self):
        powers = [10.0 ** power for power in range(self.low + self.has_zero, self.high + 1)]
        return [0] * self.has_zero + powers


def axis(numbers, start, end):
    """Logarithmic where the largest would hide the smallest."""
    above = [number for number in numbers if number > 0]
    wide = above and max(above) / min(above) > 30
    return (Logarithmic if wide else Linear)(numbers, start, end)


def series_of(figure):
    """{name: [(x, y, low, high)]}"""
    found = {}
    for case in sorted(figure["cases"], key=lambda case: case["x"]):
        for name in case["rounds"][0]:
            low, middle, high = judge.quartiles(judge.values(case, name))
            found.setdefault(name, []).append((case["x"], middle, low, high))
    return found


def frame(figure, across, up):
    yield text(LEFT, 24, figure["title"], "start", 15, " font-weight='bold'")
    for tick in across.ticks():
        yield line(across.place(tick), TOP, across.place(tick), HEIGHT - BOTTOM, "#e4e4e4")
        yield text(across.place(tick), HEIGHT - BOTTOM + 17, short(tick))
    for tick in up.ticks():
        yield line(LEFT, up.place(tick), WIDTH - RIGHT, up.place(tick), "#e4e4e4")
        yield text(LEFT - 8, up.place(tick) + 4, short(tick), "end")
    yield line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#333")
    yield line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, "#333")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, figure["x_label"])
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield text(16, middle, figure["unit"], more=f" transform='rotate(-90 16 {middle:.0f})'")


def curve(points, across, up, colour, dash):
    places = [(across.place(x), up.place(y)) for x, y, _, _ in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield (f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'"
           f" stroke-dasharray='{dash or 'none'}'/>")
    for (x, y), (_, _, low, high) in zip(places, points):
        yield line(x, up.place(low), x, up.place(high), colour)
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>"


def legend(names):
    start = WIDTH - RIGHT + 18
    for place, name in enumerate(names):
        y = TOP + 10 + 20 * place
        yield line(start, y - 4, start + 24, y - 4, COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)], 2)
        yield text(start + 30, y, name, "start")


def plot(figure):
    """The whole file."""
    series = series_of(figure)
    points = [point for found in series.values() for point in found]
    across = axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    up = axis([number for point in points for number in point[1:]], HEIGHT - BOTTOM, TOP)
    parts = list(frame(figure, across, up))
    for place, found in enumerate(series.values()):
        parts += curve(found, across, up, COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)])
    parts += legend(series)
    return "\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' "
                      f"viewBox='0 0 {WIDTH} {HEIGHT}'>", "<!-- SPDX-License-Identifier: BSD-3-Clause -->",
                      f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>", *parts, "</svg>", ""])
