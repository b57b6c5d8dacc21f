// SPDX-License-Identifier: BSD-3-Clause
// How long a doorbell takes from the guest's store to the rise of its line, where the machine is at a synchronisation
// point as soon as it is asked for one: what the adapter, its thread and the library add to Renode's own quantum.
//
// usage: latency.exe LIBRARY SOCKET ROUNDS TURNS: a line with the median, in microseconds, for each round
using System;
using System.Diagnostics;
using System.Globalization;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Miscellaneous;

public class Latency : IGPIOReceiver
{
    public static void Main(string[] words)
    {
        var machine = new Machine();
        using (var device = new IvshmemFlat(machine, 0x10000, words[1], library: words[0])) {
            var latency = new Latency(machine, device);
            device.IRQ.Connect(latency, 0);
            latency.Meet();
            for (var round = Int32.Parse(words[2]); round > 0; round--) {
                Console.WriteLine(latency.Median(Int32.Parse(words[3])).ToString("F2", CultureInfo.InvariantCulture));
            }
        }
    }

    public void OnGPIO(int number, bool value) { rises += value ? 1 : 0; }

    public void Reset() { }

    private Latency(Machine machine, IvshmemFlat device)
    {
        this.machine = machine;
        this.device = device;
    }

    // Our own vectors come after the greeting: until then a ring is at nobody.
    private void Meet()
    {
        Machine.RunUntil("a first ring", () => {
            device.WriteDoubleWord(0xc, (uint)device.Id << 16);
            return rises != 0;
        }, machine);
        Turn();
    }

    private double Median(int turns)
    {
        var times = new double[turns];
        for (var i = 0; i < turns; i++) {
            times[i] = Turn();
        }
        Array.Sort(times);
        return times[turns / 2];
    }

    private double Turn()
    {
        var before = rises;
        var clock = Stopwatch.StartNew();
        device.WriteDoubleWord(0xc, (uint)device.Id << 16);
        Machine.RunUntil("a ring", () => rises != before, machine);
        return clock.Elapsed.TotalMilliseconds * 1000;
    }

    private int rises;

    private readonly Machine machine;
    private readonly IvshmemFlat device;
}
