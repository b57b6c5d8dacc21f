// SPDX-License-Identifier: BSD-3-Clause
// Doorbells, and the lines that they move.
using System;
using System.Text;
using System.Threading;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals;

public static class Interrupts
{
    private const int Many = 10000;

    // Rings coalesce, so it is the library's count that has to be exact; the last one has to find a handler.
    [Test]
    public static void TenThousandEachWayUnderGarbageCollection(World world)
    {
        world.Server();
        var board = new Board(world);
        var client = world.ClientOf(board);
        using (new GcStorm()) {
            var handled = 0;
            board.Machine.Guest = () => board.Nvic.Serve(line => handled++);
            for (var i = 0; i < Many; i++) {
                client.Ring(board.Device.Id, i % 2);
                board.Ring(client.Id, i % 2);
            }
            board.Run("all rings arrive", () => board.Counter(Board.RingsReceived) == Many &&
                                                client.Rung(0) + client.Rung(1) == Many);
            Check.That(handled > 0 && handled <= 2 * Many, "handlers that ran: " + handled);
            Check.Equal((long)Many / 2, client.Rung(0), "rings of the client's vector 0");
            Check.Equal((long)Many, board.Counter(Board.RingsSent), "rings that were sent");
        }
    }

    // Each ring is needed for the next one, so that none may be lost.
    [Test]
    public static void ThereAndBackAThousandTimes(World world)
    {
        world.Server();
        var one = new Board(world);
        var two = new Board(world);
        one.Meets(two, 2);
        two.Meets(one, 2);
        var turns = 0;
        one.Machine.Guest = () => one.Nvic.Serve(line => one.Ring(two.Device.Id, 0));
        two.Machine.Guest = () => two.Nvic.Serve(line => {
            if (line == Board.Line && ++turns < 1000) {
                two.Ring(one.Device.Id, 0);
            }
        });
        one.Device.Connections[0].Disconnect();
        two.Device.Connections[0].Disconnect();
        one.Ring(two.Device.Id, 0);
        Machine.RunUntil("a thousand turns", () => turns == 1000, one.Machine, two.Machine);
    }

    [Test]
    public static void AVectorHasItsLine(World world)
    {
        world.Server(8);
        var board = new Board(world);
        board.Meets(board, 8);
        board.Ring(board.Device.Id, 5);
        board.Run("a ring of our own", () => board.Nvic.IsPending(Board.VectorLine + 5));
        Check.That(board.Nvic.IsPending(Board.Line), "IRQ is for all vectors");
        for (var vector = 0; vector < 8; vector++) {
            Check.Equal(vector == 5, board.Nvic.IsPending(Board.VectorLine + vector), "line of vector " + vector);
        }
        Check.Equal(8, board.Device.Connections.Count, "lines");
    }

    // A line that stays high would be pending again after each handler.
    [Test]
    public static void AnInterruptIsAPulse(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.IsPending(Board.Line));
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line afterwards");
        var handled = 0;
        board.Nvic.Serve(line => handled++);
        Check.Equal(2, handled, "handlers of one ring, for IRQ and for the vector's line");
    }

    // A ring while the handler of the one before runs: taken once more, and once.
    [Test]
    public static void OneWhileAnotherIsServed(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        board.Device.Connections[0].Disconnect();
        board.Ring(board.Device.Id, 0);
        board.Run("the first", () => board.Nvic.IsPending(Board.Line));
        var line = board.Nvic.Acknowledge();
        board.Ring(board.Device.Id, 0);
        board.Run("the second", () => board.Nvic.IsPending(Board.Line));
        board.Nvic.Complete(line);
        var handled = 0;
        board.Nvic.Serve(number => handled++);
        Check.Equal(1, handled, "handlers after the first");
    }

    // The client writes a number and rings, as fast as it can, while the guest serves; with the last ring it sees the
    // last number, and then nothing is left.
    [Test]
    public static void RungAllTheTimeAndNothingSticks(World world)
    {
        RungAllTheTime(world, 1);
    }

    [Test]
    public static void RungAllTheTimeInRevision0(World world)
    {
        RungAllTheTime(world, 0);
    }

    private static void RungAllTheTime(World world, uint revision)
    {
        world.Server();
        var board = new Board(world, revision: revision);
        var client = world.ClientOf(board);
        uint seen = 0;
        var last = BitConverter.ToUInt32(Encoding.ASCII.GetBytes("2999"), 0);
        board.Write(Board.IntrMask, 1);
        board.Machine.Guest = () => board.Nvic.Serve(line => {
            board.Read(Board.IntrStatus);
            seen = board.Load(0);
        });
        using (new GcStorm()) {
            for (var i = 0; i < 3000; i++) {
                client.Write(0, String.Format("{0:0000}", i));
                client.Ring(board.Device.Id, 0);
            }
            board.Run("the last number is seen", () => seen == last);
            board.Run("the last ring is served", () => board.Counter(Board.RingsReceived) == 3000);
        }
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line at the end");
        Check.Equal(false, board.Nvic.IsPending(Board.Line), "an interrupt at the end");
    }

    // High from the ring to the guest's reading, whatever is rung meanwhile.
    [Test]
    public static void Revision0StaysHighUntilRead(World world)
    {
        world.Server();
        var board = new Board(world, revision: 0);
        board.Meets(board, 2);
        board.Ring(board.Device.Id, 0);
        board.Run("masked, it is rung", () => board.Counter(Board.RingsReceived) == 1);
        Check.Equal(0, board.Nvic.Rises, "rises of a masked line");
        board.Write(Board.IntrMask, 1);
        Check.Equal(true, board.Nvic.IsHigh(Board.Line), "the line");
        board.Ring(board.Device.Id, 1);
        board.Run("it is rung again", () => board.Counter(Board.RingsReceived) == 2);
        Check.Equal(1, board.Nvic.Rises, "rises");
        Check.Equal(1u, board.Read(Board.IntrStatus), "INTRSTATUS");
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line, read");
        board.Ring(board.Device.Id, 0);
        board.Run("and again", () => board.Nvic.IsHigh(Board.Line));
        board.Device.Reset();
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line after a reset");
        Check.Equal(0u, board.Read(Board.IntrMask), "INTRMASK after a reset");
    }

    // A ring that comes while the machine is paused waits: one event, no spinning, and one pulse when it goes on.
    [Test]
    public static void APausedMachineHearsLater(World world)
    {
        world.Server();
        var board = new Board(world);
        var client = world.ClientOf(board);
        board.Nvic.Reset();
        var rises = board.Nvic.Rises;
        board.Machine.Paused = true;
        for (var i = 0; i < 100; i++) {
            client.Ring(board.Device.Id, 0);
        }
        client.Read(0, 1);
        board.Run("the event is queued", () => board.Machine.Waiting != 0);
        client.Ring(board.Device.Id, 0);
        client.Read(0, 1);
        Check.Equal(1, board.Machine.Waiting, "events that wait");
        Check.Equal(rises, board.Nvic.Rises, "rises while it is paused");
        Check.Equal(0L, board.Counter(Board.RingsReceived), "rings that were taken while it is paused");
        board.Machine.Paused = false;
        board.Run("it is rung", () => board.Nvic.IsPending(Board.Line));
        Check.Equal(rises + 2, board.Nvic.Rises, "rises of IRQ and of the vector's line");
    }

    // The line may lead to a DMA engine that comes straight back to the device.
    [Test]
    public static void ALineMayComeBackToTheRegisters(World world)
    {
        world.Server();
        var board = new Board(world);
        var client = world.ClientOf(board);
        var engine = new Engine(board, () => board.Ring(client.Id, 1));
        board.Device.IRQ.Connect(engine, 0);
        client.Ring(board.Device.Id, 0);
        board.Run("the engine rings the client", () => client.Rung(1) == 1);
        Check.Equal(0u, engine.Read, "what the engine read in the line's rise");
    }

    // It acknowledges inside the rise: whoever is told after it must not be left with a line that is high.
    [Test]
    public static void ALineThatIsAcknowledgedAsItRises(World world)
    {
        world.Server();
        var board = new Board(world, revision: 0);
        board.Meets(board, 2);
        board.Write(Board.IntrMask, 1);
        board.Device.IRQ.Disconnect();
        board.Device.IRQ.Connect(new Engine(board, () => board.Read(Board.IntrStatus)), 0);
        board.Device.IRQ.Connect(board.Nvic, Board.Line);
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.IsPending(Board.Line));
        Check.Equal(false, board.Device.IRQ.IsSet, "the line");
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line as the NVIC has it");
    }

    // A line's receiver that has a lock, and a thread that holds it and waits for the device: no deadlock, since the
    // device has no lock while it moves a line.
    [Test]
    public static void NoLockIsHeldWhileALineMoves(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        var moved = false;
        var engine = new Engine(board, () => {
            var other = new Thread(() => board.Read(Board.IvPosition)) { IsBackground = true };
            other.Start();
            moved = other.Join(Machine.Patience * 1000);
        });
        board.Device.IRQ.Connect(engine, 0);
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.IsPending(Board.VectorLine));
        Check.That(moved, "another thread could not read the registers while the line moved");
    }

    // What a receiver throws goes to the machine, not through C, and the device goes on.
    [Test]
    public static void AReceiverMayFail(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        var engine = new Engine(board, () => { throw new Failure("on purpose"); });
        board.Device.IRQ.Connect(engine, 0);
        board.Ring(board.Device.Id, 0);
        Check.Equal("on purpose", Check.Throws<Failure>(() => board.Run("it fails", () => false)), "the error");
        board.Device.IRQ.Set(false);
        board.Device.IRQ.Disconnect();
        board.Device.IRQ.Connect(board.Nvic, Board.Line);
        board.Nvic.Reset();
        board.Ring(board.Device.Id, 0);
        board.Run("the next one", () => board.Nvic.IsPending(Board.Line));
    }

    // Where the user asked Renode not to synchronise, events come on the thread that has them.
    [Test]
    public static void WithoutSynchronisation(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Meets(board, 2);
        board.Machine.SynchronizedTimers = true;
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.Rises == 2);
        board.Nvic.Foreign = 0;
    }

    private class Engine : IGPIOReceiver
    {
        public Engine(Board board, Action action)
        {
            this.board = board;
            this.action = action;
        }

        public void OnGPIO(int number, bool value)
        {
            if (value) {
                Read = board.Read(Board.IvPosition);
                action();
            }
        }

        public void Reset() { }

        public uint Read = 0xffffffff;

        private readonly Board board;
        private readonly Action action;
    }
}
