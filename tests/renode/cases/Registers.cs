// SPDX-License-Identifier: BSD-3-Clause
// What the guest reads and writes.
public static class Registers
{
    [Test]
    public static void Revision1(World world)
    {
        world.Server();
        world.Client();
        var board = new Board(world);
        Check.Equal(1u, board.Read(Board.IvPosition), "IVPOSITION");
        Check.Equal(1, board.Device.Id, "Id");
        Check.Equal(true, board.Device.Linked, "Linked");
        Check.Equal(16L, board.Device.Size, "the registers' size");
        board.Write(Board.IntrMask, 0xffffffff);
        board.Write(Board.IntrStatus, 0xffffffff);
        board.Write(Board.IvPosition, 7);
        Check.Equal(0u, board.Read(Board.IntrMask), "INTRMASK");
        Check.Equal(0u, board.Read(Board.IntrStatus), "INTRSTATUS");
        Check.Equal(1u, board.Read(Board.IvPosition), "IVPOSITION");
        Check.Equal(0u, board.Read(Board.Doorbell), "DOORBELL");
    }

    [Test]
    public static void Revision0(World world)
    {
        world.Server();
        var board = new Board(world, revision: 0);
        board.Write(Board.IntrMask, 0xffffffff);
        Check.Equal(1u, board.Read(Board.IntrMask), "INTRMASK");
        board.Write(Board.IntrStatus, 1);
        Check.Equal(true, board.Nvic.IsHigh(Board.Line), "the line, status and mask set");
        Check.Equal(1u, board.Read(Board.IntrStatus), "INTRSTATUS");
        Check.Equal(false, board.Nvic.IsHigh(Board.Line), "the line, when the status was read");
        Check.Equal(0u, board.Read(Board.IntrStatus), "INTRSTATUS, again");
    }

    [Test]
    public static void OnlyWordsGetThrough(World world)
    {
        world.Server();
        var board = new Board(world);
        var bus = board.Machine.Bus;
        Check.Equal((byte)0, bus.ReadByte(Board.Registers + 8), "a byte");
        Check.Equal((ushort)0, bus.ReadWord(Board.Registers + 8), "a half word");
        Check.Equal(0ul, bus.ReadQuadWord(Board.Registers + 8), "a quad word");
        bus.WriteByte(Board.Registers + 15, 0);
        Check.Equal(4, bus.Refused, "accesses that the bus refused");
        Check.Equal(0L, board.Counter(Board.RingsSent), "rings");
    }

    [Test]
    public static void WithoutAServer(World world)
    {
        var board = new Board(world, "");
        Check.Equal(0xffffffffu, board.Read(Board.IvPosition), "IVPOSITION");
        Check.Equal(-1, board.Device.Id, "Id");
        Check.Equal(false, board.Device.Linked, "Linked");
        board.Ring(0, 0);
        Check.Equal(0L, board.Counter(Board.RingsSent), "rings");
    }

    [Test]
    public static void ADoorbellAtNobodyIsToldToWhoAsks(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Ring(4711, 0);
        Check.That(World.Logged(Antmicro.Renode.Logging.LogLevel.Debug, "4711"), "nothing is said of the doorbell");
    }
}
