// SPDX-License-Identifier: BSD-3-Clause
// A machine as the adapter sees it: what comes from outside its time waits for a synchronisation point, and those are
// where the test says.  The thread that makes them is the guest's too, so any other thread in a line is a fault.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Core
{
    public partial class Machine
    {
        public Machine()
        {
            Thread = Thread.CurrentThread;
            Bus = new SystemBus();
        }

        public void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, TimeStamp eventTime,
                                             Action postAction = null)
        {
            if (eventTime.Domain != EmulationManager.ExternalWorld) {
                throw new ArgumentException("the event has no time stamp of the external world");
            }
            if (SynchronizedTimers) {
                handler(handlerArgument);
                return;
            }
            lock (Something) {
                delayed.Enqueue(() => handler(handlerArgument));
                Monitor.PulseAll(Something);
            }
        }

        // What the adapter must not use: it asks who we are, at a time when nobody may be.
        public void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, bool timeDomainInternalEvent)
        {
            throw new InvalidOperationException("this is for events inside a time domain");
        }

        // Runs what has waited, then the guest.
        public void Synchronise()
        {
            if (Paused) {
                return;
            }
            var count = Waiting;
            for (; count > 0; count--) {
                Next()();
            }
            if (Guest != null) {
                Guest();
            }
        }

        public int Waiting
        {
            get { lock (Something) { return delayed.Count; } }
        }

        // Lets machines run until it is so.  Nothing happens in them but at their synchronisation points.
        public static void RunUntil(string what, Func<bool> done, params Machine[] machines)
        {
            var clock = Stopwatch.StartNew();
            while (true) {
                foreach (var machine in machines) {
                    machine.Synchronise();
                }
                if (done()) {
                    return;
                }
                AwaitSomething(machines);
                if (clock.Elapsed.TotalSeconds > Patience) {
                    throw new TimeoutException("did not happen: " + what);
                }
            }
        }

        // Anybody may tell that something happened for which RunUntil() may wait.
        public static void Tell()
        {
            lock (Something) {
                Monitor.PulseAll(Something);
            }
        }

        public void Dispose()
        {
            Paused = true;
            foreach (var peripheral in Bus.Peripherals) {
                var disposable = peripheral as IDisposable;
                if (disposable != null) {
                    disposable.Dispose();
                }
            }
        }

        public readonly Thread Thread;
        public readonly SystemBus Bus;
        public Action Guest;
        public bool Paused;
        public bool SynchronizedTimers;

        public const int Patience = 30;

        private Action Next() { lock (Something) { return delayed.Dequeue(); } }

        private static void AwaitSomething(Machine[] machines)
        {
            lock (Something) {
                if (Array.TrueForAll(machines, m => m.Paused || m.delayed.Count == 0)) {
                    Monitor.Wait(Something, 100);
                }
            }
        }

        private readonly Queue<Action> delayed = new Queue<Action>();

        private static readonly object Something = new object();
    }
}
