# SPDX-License-Identifier: BSD-3-Clause
"""The run of the figures itself: what programs may print, what is judged and written, and what it is told wrongly."""
import copy
import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "harness"))

import judge  # noqa: E402
import page  # noqa: E402
import shape  # noqa: E402
import svg  # noqa: E402

# "ivflat" is 1.2 times "bare" in the middle, 1.1 and 1.3 at the quartiles.
ROUNDS = [{"ivflat": ratio * bare, "bare": bare} for bare in (10, 20) for ratio in (1.0, 1.1, 1.1, 1.2, 1.3, 1.3, 1.4)]
FIGURE = {"figure": "joining-time", "title": "Joining", "unit": "us", "x_label": "peers", "notes": ["One vector"],
          "cases": [{"case": "10", "x": 10, "rounds": ROUNDS,
                     "goals": [{"of": "ivflat", "to": "bare", "at_most": 1.25}]},
                    {"case": "1000", "x": 1000, "rounds": ROUNDS}]}
FOUND = {"machine": "A machine", "date": "2001-01-01", "quick": False, "skipped": {"kvm": "there is no /dev/kvm"},
         "figures": [{**FIGURE, "of": "join"}]}


def changed(**keys):
    """FIGURE with some of its first case's keys."""
    figure = copy.deepcopy(FIGURE)
    figure["cases"][0].update(keys)
    return figure


def goal(**keys):
    return changed(goals=[{"of": "ivflat", "to": "bare", **keys}])


class Shape(unittest.TestCase):
    """What a program prints."""

    def test_a_figure_is_read(self):
        line = json.dumps(FIGURE)
        self.assertEqual(shape.read(f"{line}\n{line}\n", False, "p"), ([FIGURE, FIGURE], None))

    def test_a_skip_has_its_reason_and_what_came_before_counts(self):
        self.assertEqual(shape.read(f"{json.dumps(FIGURE)}\nskipped: no KVM\n", False, "p"), ([FIGURE], "no KVM"))

    def test_what_is_wrong_is_told(self):
        uneven = [dict(ROUNDS[0])] * 11 + [{"ivflat": 1}]
        for figure, word in (
                ({**FIGURE, "more": 1}, "only"), ({**FIGURE, "figure": "A b"}, "small letters"),
                ({**FIGURE, "unit": 3}, '"unit"'), ({**FIGURE, "cases": []}, "not empty"),
                ({**FIGURE, "notes": [1]}, "sentences"), (changed(more=1), "only"),
                (changed(case=1), "name"), (changed(rounds=[]), "list"), (changed(rounds=[{}] * 11), "list"),
                (changed(rounds=uneven), "every series"), (changed(rounds=ROUNDS[:10]), "at least 11"),
                (changed(rounds=[{"a": -1}] * 11), "below 0"), (changed(rounds=[{"a": float("nan")}] * 11), "below 0"),
                (changed(rounds=[{"a": True}] * 11), "below 0"), (changed(x="ten"), "number"), (goal(), "at_most"),
                (goal(at_most=1, flat=True), "at_most"), (goal(at_most="1"), "number"),
                (goal(at_most=1, below=2), "only"),
                (changed(goals=[{"of": "QEMU", "at_most": 1}]), "QEMU"), ([FIGURE], "only")):
            with self.assertRaisesRegex(shape.Wrong, word):
                shape.checked(figure, False, "program")

    def test_points_have_an_x_and_nothing_else_has(self):
        without = {key: value for key, value in FIGURE.items() if key != "x_label"}
        with self.assertRaisesRegex(shape.Wrong, "x_label"):
            shape.checked(without, False, "program")

    def test_one_round_will_do_for_what_is_counted_for_a_trial_and_with_a_reason(self):
        few = changed(rounds=ROUNDS[:1])
        shape.checked(few, True, "program")
        shape.checked({**few, "counted": True}, False, "program")
        shape.checked({**few, "few_rounds": "One takes a minute"}, False, "program")

    def test_what_is_no_json_is_told(self):
        with self.assertRaisesRegex(shape.Wrong, "program: one JSON object a line is right, not 'Hello'"):
            shape.read("Hello\n", False, "program")


class Judge(unittest.TestCase):
    """Goals."""

    def kept(self, figure):
        return [verdict.kept for verdict in judge.verdicts(figure)]

    def test_a_ratio_is_the_median_of_the_rounds_ratios(self):
        verdict = judge.verdicts(FIGURE)[0]
        self.assertAlmostEqual(verdict.found, 1.2)
        self.assertAlmostEqual(verdict.low, 1.1)
        self.assertAlmostEqual(verdict.high, 1.3)

    def test_at_most(self):
        self.assertEqual(self.kept(goal(at_most=1.21)), [True])
        self.assertEqual(self.kept(goal(at_most=1.19)), [False])

    def test_or_the_quartiles_hold_it(self):
        self.assertEqual(self.kept(goal(at_most=1.05, or_holds=1.15)), [True])
        self.assertEqual(self.kept(goal(at_most=1.05, or_holds=1.05)), [False])

    def test_a_series_itself(self):
        self.assertEqual(self.kept(changed(goals=[{"of": "bare", "at_most": 15}])), [True])
        self.assertEqual(self.kept(changed(goals=[{"of": "bare", "at_most": 14}])), [False])

    def test_flat(self):
        figure = copy.deepcopy(FIGURE)
        for case in figure["cases"]:
            case["goals"] = [{"of": "bare", "flat": True}]
        self.assertEqual(self.kept(figure), [True, True])
        figure["cases"][1]["rounds"] = [{"ivflat": 1, "bare": 16}]
        self.assertEqual(self.kept(figure), [False, False])

    def test_cases_that_miss_the_same_are_told_together(self):
        figure = goal(at_most=1.1)
        figure["cases"][1]["goals"] = figure["cases"][0]["goals"]
        figure["cases"][1]["rounds"] = [{"ivflat": 3, "bare": 1}] * 11
        self.assertEqual(list(judge.sentences(judge.missed([figure]))),
                         ["Joining: ivflat is 1.2 to 3 of bare, wanted is at most 1.1"])

    def test_of_times_none_is_judged_where_only_counts_are(self):
        late = goal(at_most=1)
        self.assertEqual(judge.missed([late], counted_only=True), [])
        self.assertEqual(len(judge.missed([late])), 1)
        self.assertEqual(len(judge.missed([{**late, "counted": True}], counted_only=True)), 1)


class Page(unittest.TestCase):
    """What is written."""

    def test_only_what_is_between_the_markers_is_replaced(self):
        first = page.replaced(f"# Title\n{page.BEGIN}\nold\n{page.END}\nProse.\n", "new")
        self.assertEqual(first, f"# Title\n{page.BEGIN}\n\nnew\n\n{page.END}\nProse.\n")
        self.assertEqual(page.replaced(first, "new"), first)

    def test_markers_that_are_not_there_once_are_refused(self):
        for text in ("", page.BEGIN, page.END, f"{page.END}\n{page.BEGIN}", f"{page.BEGIN}{page.END}" * 2):
            with self.assertRaises(page.NoMarkers):
                page.replaced(text, "new")

    def test_a_row_says_what_was_found_and_whether_it_is_enough(self):
        rows = list(page.table(FIGURE))
        self.assertEqual(rows[0], "| peers | ivflat | bare |")
        self.assertIn("1.20 (1.10-1.30)", rows[2])
        self.assertNotIn("**", rows[2])
        self.assertIn("**1.20 (1.10-1.30)**", list(page.table(goal(at_most=1.1)))[2])

    def test_what_misses_its_goal_and_what_is_not_there_is_told(self):
        text = page.written({**FOUND, "figures": [{**goal(at_most=1.1), "of": "join"}]}, {})
        self.assertIn("- Joining: ivflat is 1.2 of bare, wanted is at most 1.1 (10 peers).", text)
        self.assertIn("- kvm is not here: there is no /dev/kvm", text)
        self.assertIn("Nothing.", page.written(FOUND, {}))

    def test_a_plot_is_drawn_without_anything_that_runs(self):
        root = xml.fromstring(svg.plot(FIGURE))
        self.assertEqual({element.tag.rpartition("}")[2] for element in root.iter()},
                         {"svg", "rect", "text", "line", "polyline", "circle"})
        words = [element.text for element in root.iter() if element.text]
        for word in ("Joining", "peers", "us", "ivflat", "bare", "1,000"):
            self.assertIn(word, words)

    def test_both_kinds_of_axes_put_their_ends_where_they_belong(self):
        for numbers in ([1, 2, 20], [0, 10, 1000], [1, 65535], [7]):
            axis = svg.axis(numbers, 0, 100)
            places = [axis.place(number) for number in sorted(numbers)]
            self.assertEqual(places, sorted(places))
            self.assertTrue(0 <= places[0] <= places[-1] <= 100 + 1e-9, numbers)


class Command(unittest.TestCase):
    """tests/bench/run."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ivflat-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_it(self, *words):
        done = subprocess.run([sys.executable, str(HERE / "run"), *map(str, words)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout

    def test_a_page_from_an_earlier_run(self):
        text, json_file = self.folder / "page.md", self.folder / "found.json"
        text.write_text(f"Before.\n{page.BEGIN}\n{page.END}\nAfter.\n")
        json_file.write_text(json.dumps(FOUND))
        for _ in range(2):
            self.assertEqual(self.run_it("--from", json_file, "--page", text)[0], 0)
            self.assertEqual(text.read_text().count("### Joining"), 1)
        self.assertTrue(text.read_text().startswith("Before.\n") and text.read_text().endswith("After.\n"))
        self.assertIn("(figures/joining-time.svg)", text.read_text())
        self.assertTrue((self.folder / "figures/joining-time.svg").exists())

    def test_a_page_without_markers_stays_as_it_is(self):
        text, json_file = self.folder / "page.md", self.folder / "found.json"
        text.write_text("Prose.\n")
        json_file.write_text(json.dumps(FOUND))
        status, said = self.run_it("--from", json_file, "--page", text)
        self.assertEqual((status, text.read_text()), (1, "Prose.\n"))
        self.assertIn("FAILED: the page needs one line", said)

    def test_options_that_cannot_be_are_told(self):
        for words in (["--fast"], ["--only", "speed"], ["more"], ["--build"], ["--build", self.folder / "no"],
                      ["--from", self.folder / "no"]):
            status, said = self.run_it(*words)
            self.assertEqual(status, 2, said)
            self.assertIn("see tests/bench/run --help", said)

    def test_a_build_without_its_programs_is_told(self):
        status, said = self.run_it("--quick", "--only", "storm", "--build", self.folder)
        self.assertEqual(status, 1)
        self.assertIn("FAILED: storm:", said)

    def program(self, text):
        """A build folder in which storm is @text."""
        path = self.folder / "tests/bench/storm"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)

    def test_a_program_that_skips_and_one_that_fails(self):
        for script, wanted, word in (("echo skipped: no storm; exit 77", 77, "skipped: storm: no storm"),
                                     ("echo broken >&2; exit 3", 1, "broken"), ("echo hello", 1, "one JSON object")):
            with self.subTest(script):
                self.program("#!/bin/sh\n" + script + "\n")
                status, said = self.run_it("--quick", "--only", "storm", "--build", self.folder)
                self.assertEqual(status, wanted, said)
                self.assertIn(word, said)
                (self.folder / "tests/bench/storm").unlink()
                (self.folder / "tests/bench").rmdir()
                (self.folder / "tests").rmdir()

    def test_what_is_counted_is_judged_also_by_a_trial(self):
        for at_most, wanted in ((1, 1), (99, 0)):
            counted = {**changed(goals=[{"of": "bare", "at_most": at_most}]), "counted": True}
            path = self.folder / "tests/bench/storm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\necho '{json.dumps(counted)}'\n")
            path.chmod(0o755)
            self.assertEqual(self.run_it("--quick", "--only", "storm", "--build", self.folder)[0], wanted)


if __name__ == "__main__":
    unittest.main()
