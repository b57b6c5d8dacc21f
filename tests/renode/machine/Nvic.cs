// SPDX-License-Identifier: BSD-3-Clause
// The interrupt controller of a Cortex-M as Renode has it [Cores/Arm-M/NVIC.cs]: a rising line is pending, and stays so
// when it falls; one that is still high when its handler is done is pending again.
using System;
using System.Collections.Generic;
using System.Threading;
using Antmicro.Renode.Core;

namespace Antmicro.Renode.Peripherals.IRQControllers
{
    public class Nvic : IGPIOReceiver
    {
        public Nvic(Machine machine) { this.machine = machine; }

        public void OnGPIO(int number, bool value)
        {
            if (Thread.CurrentThread != machine.Thread) {
                Foreign++;
            }
            if (value) {
                running.Add(number);
                pending.Add(number);
                Rises++;
            } else {
                running.Remove(number);
            }
        }

        // Takes the interrupts that are pending; at most `limit`, for a line that sticks would never end.
        public void Serve(Action<int> handler, int limit = 1000)
        {
            for (; pending.Count != 0 && limit > 0; limit--) {
                var number = Acknowledge();
                handler(number);
                Complete(number);
            }
        }

        public int Acknowledge()
        {
            var number = pending.Min;
            pending.Remove(number);
            return number;
        }

        public void Complete(int number)
        {
            Served++;
            if (running.Contains(number)) {
                pending.Add(number);
            }
        }

        public bool IsPending(int number) { return pending.Contains(number); }

        public bool IsHigh(int number) { return running.Contains(number); }

        public void Reset() { pending.Clear(); }

        public int Rises;
        public int Served;
        public int Foreign;

        private readonly Machine machine;
        private readonly HashSet<int> running = new HashSet<int>();
        private readonly SortedSet<int> pending = new SortedSet<int>();
    }
}
