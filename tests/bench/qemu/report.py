# SPDX-License-Identifier: BSD-3-Clause
"""The tables, and what is not kept."""
from pair import AGAIN
from rounds import BASE

# Of a round trip.
MOST_RATIO = 1.02
# Of system calls, which are counted: a timer of QEMU's own may come between.
MOST_MORE = 0.05
# By so much upstream's device may differ from itself where times are judged.
NOISE = 0.01


def row(*cells):
    print("| " + " | ".join([f"{cells[0]:24}", *(f"{cell:>16}" for cell in cells[1:])]) + " |")


def head(*cells):
    row(*cells)
    row("---", *["---:"] * (len(cells) - 1))


def ratio(of):
    low, high = of["ratio_quartiles"]
    return f"{of['ratio']:.3f} ({low:.2f}-{high:.2f})"


def print_times(times, load):
    print(f"Load of the machine: {load[0]:.1f} before, {load[1]:.1f} after.\n")
    print("Medians, and ratios to upstream's of the same turn (median, quartiles):\n")
    head("", "round trip, us", "ratio", "doorbell, us", "ratio", "doorbells/s", "interrupts/s")
    for device, trip in times["round trip"].items():
        bell = times["doorbell"][device]
        row(device, f"{trip['median_us']:.1f}", ratio(trip), f"{bell['median_us']:.2f}", ratio(bell),
            f"{bell['doorbells_a_second']:,.0f}", f"{bell['interrupts_a_second']:,.0f}")


def print_calls(found):
    print("\nSystem calls a round trip, both machines:\n")
    devices = list(found)
    names = {name for calls in found.values() for name, count in calls.items() if count >= 0.05}
    head("", *devices)
    for name in sorted(names, key=lambda name: (name == "all", name)):
        row(name, *(f"{found[device].get(name, 0):.2f}" for device in devices))


def print_vectors(found):
    times = found["times"]
    print("\nOf 64 vectors, those on which a ring interrupts the guest:\n")
    head("", "come", "tried", "busy after", "vector 0, us", "others, us")
    row("upstream", len(found["upstream"]), ", ".join(map(str, found["upstream_tried"])),
        f"{found['upstream_busy']:.0%}", f"{times['upstream_us']:.1f}", "-")
    row("ivflat", len(found["ivflat"]), "0-63", f"{found['ivflat_busy']:.0%}", f"{times['ivflat_us']:.1f}",
        f"{times['ivflat_others_us']:.1f}")
    print(f"\nBeside upstream's vector 0: ours {times['ratio']:.3f}, our others {times['ratio_others']:.3f}.")


def noisy(figures):
    return abs(figures["times"]["round trip"][AGAIN]["ratio"] - 1) > NOISE


def but_futex(calls):
    """How often two of QEMU's threads meet at its lock is by chance."""
    return calls["all"] - calls.get("futex", 0)


def not_kept(figures, judge_times):
    if figures["vectors"]["ivflat"] != list(range(64)):
        yield f"only the vectors {figures['vectors']['ivflat']} come"
    if not judge_times:
        return
    most = but_futex(figures["calls"][BASE])
    for device, calls in figures["calls"].items():
        if but_futex(calls) > most + MOST_MORE:
            yield f"{device}: {but_futex(calls):.2f} system calls a round trip, futex left out; upstream {most:.2f}"
    if noisy(figures):
        return
    for device, trip in figures["times"]["round trip"].items():
        if device.startswith("ivflat") and trip["ratio"] > MOST_RATIO:
            yield f"{device}: a round trip takes {trip['ratio']:.3f} of upstream's, at most {MOST_RATIO}"


def printed(figures, judge_times):
    print_times(figures["times"], figures["load"])
    print_calls(figures["calls"])
    print_vectors(figures["vectors"])
    if judge_times and noisy(figures):
        print(f"\nTimes are not judged: the machine has other work, upstream differs from itself by more than {NOISE:.0%}.")
    broken = list(not_kept(figures, judge_times))
    print("\n" + ("\n".join(f"not kept: {line}" for line in broken) or "all that was judged is kept"))
    return bool(broken)
