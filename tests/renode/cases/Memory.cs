// SPDX-License-Identifier: BSD-3-Clause
// The shared memory: the guest's, the monitor's, the others'.
using System;
using System.Linq;
using System.Text;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Memory;

public static class Memory
{
    [Test]
    public static void IsTheOthersToo(World world)
    {
        world.Server();
        var board = new Board(world);
        var client = world.ClientOf(board);
        board.Store(0x100, BitConverter.ToUInt32(Encoding.ASCII.GetBytes("flat"), 0));
        Check.Equal("flat", client.Read(0x100, 4), "what the guest wrote, as the client reads it");
        client.Write(World.MemorySize - 4, "last");
        client.Read(0, 1);
        Check.Equal(BitConverter.ToUInt32(Encoding.ASCII.GetBytes("last"), 0), board.Load((ulong)World.MemorySize - 4),
                    "what the client wrote, as the guest reads it");
    }

    [Test]
    public static void IsOneSegmentOfTheWholeSize(World world)
    {
        world.Server();
        var board = new Board(world);
        var segment = board.Memory.MappedSegments.Single();
        Check.Equal(0ul, segment.StartingOffset, "where it begins");
        Check.Equal((ulong)World.MemorySize, segment.Size, "its size");
        Check.Equal(World.MemorySize, board.Memory.Size, "the peripheral's size");
        Check.Equal(0L, segment.Pointer.ToInt64() % 4096, "the address in a page");
    }

    // The interfaces by which the monitor, GDB and DMA come; the test is compiled once for each shape of them.
    [Test]
    public static void IsThereForMonitorAndDma(World world)
    {
        world.Server();
        var memory = new Board(world).Memory;
        ((IQuadWordPeripheral)memory).WriteQuadWord(8, 0x8877665544332211);
        Check.Equal(0x8877665544332211, ((IQuadWordPeripheral)memory).ReadQuadWord(8), "a quad word");
        Check.Equal(0x88776655, ((IDoubleWordPeripheral)memory).ReadDoubleWord(12), "a word");
        Check.Equal((ushort)0x8877, ((IWordPeripheral)memory).ReadWord(14), "a half word");
        Check.Equal((byte)0x88, ((IBytePeripheral)memory).ReadByte(15), "a byte");
        ((IDoubleWordPeripheral)memory).WriteDoubleWord(8, 0xfffffffe);
        ((IWordPeripheral)memory).WriteWord(12, 0xfffd);
        ((IBytePeripheral)memory).WriteByte(14, 0xfc);
        Check.Equal(0x88fcfffdfffffffe, memory.ReadQuadWord(8), "what was written piece by piece");
        var many = (IMultibyteWritePeripheral)memory;
        many.WriteBytes(100, new byte[] { 1, 2, 3, 4, 5 }, 1, 3);
        Check.Equal("00-02-03-04-00", BitConverter.ToString(many.ReadBytes(99, 5)), "bytes");
        Check.That(memory is IMemory, "it is no IMemory");
    }

    [Test]
    public static void HasEverySignatureOfReadBytes(World world)
    {
        world.Server();
        var memory = new Board(world).Memory;
        memory.WriteBytes(0, new byte[] { 1 }, 0, 1, (ICPU)null);
        Check.Equal((byte)1, memory.ReadBytes(0, 1, (IPeripheral)null)[0], "1.16's");
        memory.WriteBytes(0, new byte[] { 2 }, 0, 1, (IPeripheral)null);
        Check.Equal((byte)2, memory.ReadBytes(0, 1, (ICPU)null)[0], "1.15's");
        memory.WriteBytes(0, new byte[] { 3 }, 0, 1);
        Check.Equal((byte)3, memory.ReadBytes(0, 1)[0], "1.14's");
    }

    [Test]
    public static void EndsWhereItEnds(World world)
    {
        world.Server();
        var memory = new Board(world).Memory;
        foreach (var offset in new[] { World.MemorySize - 1, World.MemorySize, -1, Int64.MaxValue, Int64.MinValue }) {
            memory.WriteWord(offset, 0xffff);
            memory.WriteDoubleWord(offset, 0xffffffff);
            memory.WriteQuadWord(offset, 0xffffffffffffffff);
            memory.WriteBytes(offset, new byte[2], 0, 2);
            Check.Equal((ushort)0, memory.ReadWord(offset), "a half word over the end");
            Check.Equal(0u, memory.ReadDoubleWord(offset), "a word over the end");
            Check.Equal(0ul, memory.ReadQuadWord(offset), "a quad word over the end");
            Check.Equal("00-00", BitConverter.ToString(memory.ReadBytes(offset, 2)), "bytes over the end");
        }
        memory.WriteByte(World.MemorySize, 1);
        Check.Equal((byte)0, memory.ReadByte(World.MemorySize), "a byte behind the end");
        Check.Equal((byte)0, memory.ReadByte(World.MemorySize - 1), "the last byte");
        Check.That(World.Logged(LogLevel.Warning, "not inside the shared memory"), "nothing is said of it");
    }

    [Test]
    public static void IsThereBeforeAServer(World world)
    {
        var board = new Board(world, "");
        Check.Equal(0u, board.Load(0), "memory before a server");
        board.Store(0, 1);
        Check.Equal(1u, board.Load(0), "memory before a server, written");
        world.Server();
        board.Device.Connect(world.Socket());
        Check.Equal(0u, board.Load(0), "the server's memory");
        var client = world.ClientOf(board);
        client.Write(0, "here");
        client.Read(0, 1);
        Check.Equal(BitConverter.ToUInt32(Encoding.ASCII.GetBytes("here"), 0), board.Load(0), "at the same address");
    }

    [Test]
    public static void SurvivesAReset(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Store(0, 7);
        board.Memory.Reset();
        board.Device.Reset();
        Check.Equal(7u, board.Load(0), "memory after a reset");
        Check.Equal(0u, board.Read(Board.IvPosition), "IVPOSITION after a reset");
        Check.Equal(true, board.Device.Linked, "Linked after a reset");
    }
}
