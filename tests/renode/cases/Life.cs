// SPDX-License-Identifier: BSD-3-Clause
// Coming and going: hot-add, several devices, several machines, disposal in any order.
using System;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Memory;
using Antmicro.Renode.Peripherals.Miscellaneous;

public static class Life
{
    // Half of them with the memory first; every tenth with an event queued that comes too late.
    [Test]
    public static void AThousandTimesCreatedAndDisposed(World world)
    {
        world.Server();
        var machine = new Machine();
        Round(world, machine, 0);
        var fds = Descriptors.Count();
        using (new GcStorm()) {
            for (var i = 1; i <= 1000; i++) {
                Round(world, machine, i);
            }
        }
        machine.Synchronise();
        Check.Equal(fds, Descriptors.Count(), "descriptors");
        Check.Equal(0, Descriptors.Threads(), "threads");
    }

    private static void Round(World world, Machine machine, int i)
    {
        var device = new IvshmemFlat(machine, World.MemorySize, world.Socket(), 2, 1, 20, World.Library);
        var memory = new IvshmemFlatMemory(device);
        Check.Equal(i, device.Id, "Id");
        memory.WriteDoubleWord(0, (uint)i);
        Check.Equal((uint)i, memory.ReadDoubleWord(0), "memory");
        if (i % 10 == 0) {
            device.WriteDoubleWord(Board.Doorbell, (uint)i << 16);
            Machine.RunUntil("an event is queued", () => machine.Waiting != 0);
        }
        foreach (var one in i % 2 == 0 ? new IDisposable[] { memory, device } : new IDisposable[] { device, memory }) {
            one.Dispose();
        }
        Check.Equal(false, Waiter(device).IsAlive, "life of the thread that waits, when the device is gone");
    }

    private static Thread Waiter(IvshmemFlat device)
    {
        return (Thread)typeof(IvshmemFlat).GetField("waiter", BindingFlags.Instance | BindingFlags.NonPublic)
            .GetValue(device);
    }

    // Its thread is in the library then, and comes back by itself twice a second; what wakes it does so at once.
    [Test]
    public static void DisposedWhenNothingHappens(World world)
    {
        world.Server();
        var clock = new Stopwatch();
        for (var i = 0; i < 50; i++) {
            var board = new Board(world);
            board.Meets(board, 2);
            board.Ring(board.Device.Id, 0);
            board.Run("a ring, and nothing more", () => board.Nvic.IsPending(Board.Line) && board.Machine.Waiting == 0);
            clock.Start();
            board.Device.Dispose();
            clock.Stop();
        }
        Check.That(clock.Elapsed.TotalSeconds < 6, "50 ends took " + clock.Elapsed + ": nobody woke the thread");
    }

    // Renode before 1.16 forgets what it could not register; it has to be able to end all the same.
    [Test]
    public static void LeftBehindWhenTheProcessEnds(World world)
    {
        world.Server();
        var program = Assembly.GetExecutingAssembly().Location;
        var words = String.Join(" ", program, World.Folder, World.Library, "-", "-", "leave");
        var child = world.Keep(new Child("mono", words));
        child.Until("left peer 0 behind");
        child.AwaitEnd();
    }

    // Whichever goes first, the other answers, and nobody reads memory that is gone.
    [Test]
    public static void TheRegistersGoFirst(World world)
    {
        world.Server();
        var watcher = world.Client();
        var board = new Board(world);
        watcher.Meets(board.Device.Id, 2);
        board.Store(0, 5);
        board.Device.Dispose();
        watcher.Misses(board.Device.Id);
        Check.Equal(5u, board.Load(0), "what is mapped");
        Check.Equal(5u, board.Memory.ReadDoubleWord(0), "what the monitor reads");
        board.Memory.Dispose();
        board.Memory.Dispose();
        board.Memory.WriteDoubleWord(0, 6);
        Check.Equal(0u, board.Memory.ReadDoubleWord(0), "what the monitor reads at last");
        AnswersOnceGone(board);
    }

    [Test]
    public static void TheMemoryGoesFirst(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        board.Memory.Dispose();
        Check.Equal(0u, board.Memory.ReadDoubleWord(0), "what the monitor reads");
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.IsPending(Board.Line));
        board.Device.Dispose();
        board.Device.Dispose();
        AnswersOnceGone(board);
    }

    private static void AnswersOnceGone(Board board)
    {
        Check.Equal(0u, board.Read(Board.IvPosition) & board.Read(Board.IntrStatus), "registers");
        board.Ring(0, 0);
        board.Device.Reset();
        board.Device.Disconnect();
        Check.Equal(false, board.Device.Linked, "Linked");
        Check.Says(Check.Throws<Antmicro.Renode.Exceptions.RecoverableException>(() => board.Device.Connect("/x")),
                   "removed");
    }

    // In a paused machine a queued event stays queued; it must neither keep the thread nor find a device later.
    [Test]
    public static void DisposedWhilePaused(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        board.Machine.Paused = true;
        board.Ring(board.Device.Id, 0);
        board.Run("an event is queued", () => board.Machine.Waiting == 1);
        board.Memory.Dispose();
        board.Device.Dispose();
        Check.Equal(0, Descriptors.Threads(), "threads");
        board.Machine.Paused = false;
        board.Machine.Synchronise();
        Check.Equal(0, board.Nvic.Rises, "rises");
    }

    // Two of them in one machine, at servers of their own; the second comes when the first is at work.
    [Test]
    public static void AnotherIsAddedToAMachineThatRuns(World world)
    {
        world.Server(name: "one");
        world.Server(name: "two");
        var first = new Board(world, "one");
        first.Meets(first, 2);
        first.Store(0, 1);
        first.Ring(first.Device.Id, 1);
        first.Run("a ring", () => first.Nvic.IsPending(Board.Line));
        first.Nvic.Reset();
        var second = new Board(world, "two", machine: first.Machine, apart: 0x100000);
        second.Meets(second, 2);
        second.Store(0, 2);
        second.Ring(second.Device.Id, 0);
        second.Run("a ring of the second", () => second.Nvic.IsPending(Board.Line));
        Check.Equal(false, first.Nvic.IsPending(Board.Line), "the first one's line");
        Check.Equal(1u, first.Load(0), "the first one's memory");
    }

    // At the same server they are peers of each other.
    [Test]
    public static void TwoInOneMachineRingEachOther(World world)
    {
        world.Server();
        var one = new Board(world);
        var two = new Board(world, machine: one.Machine, apart: 0x100000);
        one.Meets(two, 2);
        one.Store(16, 77);
        one.Ring(two.Device.Id, 1);
        two.Run("a ring", () => two.Nvic.IsPending(Board.VectorLine + 1));
        Check.Equal(77u, two.Load(16), "memory");
        Check.Equal(0, one.Nvic.Rises, "rises of who rang");
    }

    [Test]
    public static void FourMachinesInARing(World world)
    {
        world.Server();
        var boards = Enumerable.Range(0, 4).Select(i => new Board(world)).ToArray();
        foreach (var board in boards) {
            board.Meets(boards[(board.Device.Id + 1) % 4], 2);
        }
        var laps = 0;
        foreach (var board in boards) {
            var self = board;
            self.Device.Connections[0].Disconnect();
            self.Machine.Guest = () => self.Nvic.Serve(line => {
                self.Store(0, self.Load(0) + 1);
                laps += self.Device.Id == 0 ? 1 : 0;
                self.Ring((self.Device.Id + 1) % 4, 0);
            });
        }
        boards[3].Ring(0, 0);
        Machine.RunUntil("a hundred laps", () => laps == 100, boards.Select(board => board.Machine).ToArray());
        Check.That(boards[0].Load(0) >= 397 && boards[0].Load(0) <= 400, "they counted to " + boards[0].Load(0));
    }

    // The two come together where a monitor disposes while the guest runs on a thread of its own.
    [Test]
    public static void DisposedUnderARunningGuest(World world)
    {
        world.Server();
        for (var i = 0; i < 50; i++) {
            var board = new Board(world);
            var ended = false;
            var guest = new Thread(() => {
                while (!Volatile.Read(ref ended)) {
                    board.Read(Board.IvPosition);
                    board.Ring(board.Device.Id, 0);
                }
            });
            guest.Start();
            board.Machine.Synchronise();
            board.Device.Dispose();
            ended = true;
            guest.Join();
            board.Nvic.Foreign = 0;
        }
        Check.Equal(0, Descriptors.Threads(), "threads");
    }
}
