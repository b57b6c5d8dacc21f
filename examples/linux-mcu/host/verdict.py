# SPDX-License-Identifier: BSD-3-Clause
"""What it all comes to: by what came out of the serial ports, checked against the memory and against each other."""
import functools


@functools.lru_cache(maxsize=None)
def sum_of(station, number):
    """The made-up sensor's readings in one sample, worked out once more: exchange.h is not asked."""
    step = number % 240
    base = 2000 + 50 * min(step, 240 - step)
    return sum(9500 if number % 300 == 299 else base + (station * 7919 + number * 104729 + i * 1299709) % 2**32 % 97
               for i in range(1 + number % 20))


def count_boots(linux):
    """{(station, boot): samples}: how many of each life of each station came to Linux, or were lost with one."""
    counts = {}
    for one in linux:
        for line in one.checked:
            counts[line.station, line.boot] = line.last + 1
        for station, (boot, number) in one.resumed.items():
            counts[station, boot] = number
        for station, total in one.totals.items():
            counts[station, total["boot"]] = total["next"]
    return counts


class Verdict:
    def __init__(self, story):
        self.story, self.faults = story, []
        self.counts = count_boots(story.linux)
        self.judge()

    def must(self, holds, fault):
        if not holds:
            self.faults.append(fault)

    def judge(self):
        for one in self.story.linux:
            self.judge_linux(one)
        self.judge_interrupts(self.story.linux[-1])
        for number, lives in self.story.stations.items():
            for side in lives:
                self.must(not side.wrong, f"{side.name}: {len(side.wrong)} answers were wrong")
            self.judge_station(number, lives[-1])
        self.judge_alarms()

    def judge_linux(self, one):
        self.must(not one.wrong, f"linux: in its boot {one.boot} {len(one.wrong)} samples were wrong: "
                                 f"{one.wrong[0] if one.wrong else ''}")
        for line in one.checked:
            expected = sum(sum_of(line.station, number) for number in range(line.first, line.last + 1))
            self.must(line.sum == expected, f"linux: the readings of station {line.station}, samples {line.first} to "
                                            f"{line.last}, add up to {expected}, and it says {line.sum}")

    def judge_interrupts(self, one):
        """Of the alarms one a station may have been rung before this Linux was there."""
        alarms = sum(total["alarms"] for total in one.totals.values())
        for name, count in one.interrupts.items():
            self.must(count or (name == "alarm" and alarms <= len(self.story.stations)),
                      f"linux: the vector '{name}' never interrupted it")
        rung = one.interrupts["alarm"]
        self.must(rung <= alarms, f"linux: the vector 'alarm' interrupted it {rung} times for {alarms} alarms")

    def deaths(self):
        return len(self.story.linux) - 1

    def judge_station(self, number, side):
        total, linux = side.total, self.story.linux[-1].totals.get(number, {})
        name = f"station {number}"
        self.must(linux.get("boot") == side.boot, f"linux: it does not know boot {side.boot} of {name}")
        self.must(total["sent"] == linux.get("next"), f"{name}: it sent {total['sent']} samples, and Linux got "
                                                      f"{linux.get('next')}")
        self.must(total["answered"] + total["lost"] == total["sent"] and not total["wrong"],
                  f"{name}: of {total['sent']} samples {total['answered']} were answered, {total['wrong']} wrongly")
        self.must(total["lost"] <= self.deaths(),
                  f"{name}: {total['lost']} samples were lost; one may be each time that Linux is killed")
        ever = sum(count for (station, _), count in self.counts.items() if station == number)
        head, tail = self.story.indices[number]
        self.must(head == tail == ever,
                  f"{name}: its ring has had {head} samples, {tail} of them read, and Linux tells of {ever}")

    def judge_alarms(self):
        """Who is killed may have been about to ring."""
        expected = sum(count // 300 for count in self.counts.values())
        killed = sum(len(lives) - 1 for lives in self.story.stations.values())
        rung = self.story.alarms_rung()
        self.must(expected - killed <= rung <= expected,
                  f"host: it was rung {rung} times for {expected} alarms")

    # What is said.

    def answers(self):
        return sum(side.answered for lives in self.story.stations.values() for side in lives)

    def lines(self):
        for (station, boot), count in sorted(self.counts.items()):
            yield f"station {station} boot {boot}: {count} samples came to Linux"
        for one in self.story.linux:
            counts = ", ".join(f"{name} {count}" for name, count in one.interrupts.items())
            yield f"Linux boot {one.boot}: " + (f"interrupts: {counts}" if counts else "killed")
        for number, lives in self.story.stations.items():
            side = lives[-1]
            yield (f"station {number} boot {side.boot}: sent {side.total['sent']}, answered {side.total['answered']}, "
                   f"lost with a killed Linux {side.total['lost']}, interrupts {side.more.get('interrupts')}")
        yield f"host: alarms {self.story.alarms_rung()}"

    def summary(self):
        lost = sum(lives[-1].total["lost"] for lives in self.story.stations.values())
        return (f"ok: {sum(self.counts.values())} samples to Linux and {self.answers()} answers to the stations, "
                f"0 wrong, {lost} lost with what was killed")
