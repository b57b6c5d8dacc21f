// SPDX-License-Identifier: BSD-3-Clause
// A snapshot keeps what is the machine's, and what belongs to the link is made anew.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.IRQControllers;
using Antmicro.Renode.Peripherals.Memory;
using Antmicro.Renode.Peripherals.Miscellaneous;

public static class SaveAndLoad
{
    // A board that was saved, disposed and loaded into a machine of its own.
    private class Loaded : IDisposable
    {
        public Loaded(World world, Board board, bool backwards, Action between = null)
        {
            var instead = new Dictionary<object, object> { { board.Machine, Machine = new Machine() } };
            instead[board.Nvic] = Nvic = new Nvic(Machine);
            var snapshot = new Snapshot(instead, board.Device, board.Memory);
            board.Dispose();
            if (between != null) {
                between();
            }
            var all = snapshot.Load<object>(backwards);
            world.Keep(this);
            Device = (IvshmemFlat)all[0];
            Memory = (IvshmemFlatMemory)all[1];
        }

        public void Run(string what, Func<bool> done) { Machine.RunUntil(what, done, Machine); }

        public void Dispose()
        {
            if (Device != null) {
                Device.Dispose();
                Memory.Dispose();
            }
        }

        public readonly Machine Machine;
        public readonly Nvic Nvic;
        public readonly IvshmemFlat Device;
        public readonly IvshmemFlatMemory Memory;
    }

    [Test]
    public static void TheLinkIsMadeAnew(World world)
    {
        world.Server();
        foreach (var backwards in new[] { false, true }) {
            var client = world.Client();
            var loaded = new Loaded(world, new Board(world), backwards);
            client.Meets(loaded.Device.Id, 2);
            client.Ring(loaded.Device.Id, 1);
            loaded.Run("a ring", () => loaded.Nvic.IsPending(Board.VectorLine + 1));
            Check.That(loaded.Nvic.IsPending(Board.Line), "IRQ");
            loaded.Memory.WriteDoubleWord(32, 0x34333231);
            Check.Equal("1234", client.Read(32, 4), "memory, as the client reads it");
            Check.Equal(World.MemorySize, loaded.Memory.Size, "the memory's size");
            Check.That(World.Logged(LogLevel.Warning, "was saved as peer"), "nothing is said of another id");
        }
    }

    [Test]
    public static void Revision0KeepsItsRegistersAndItsLine(World world)
    {
        world.Server();
        var board = new Board(world, revision: 0);
        board.Write(Board.IntrMask, 1);
        board.Write(Board.IntrStatus, 1);
        var loaded = new Loaded(world, board, false);
        Check.Equal(1u, loaded.Device.ReadDoubleWord(Board.IntrMask), "INTRMASK");
        Check.Equal(true, loaded.Device.IRQ.IsSet, "the line");
        Check.Equal(1u, loaded.Device.ReadDoubleWord(Board.IntrStatus), "INTRSTATUS");
        Check.Equal(false, loaded.Device.IRQ.IsSet, "the line, read");
    }

    // The machine is saved while it is paused: what came with a greeting of then is still to be heard.
    [Test]
    public static void APulseThatWaitedIsNotLost(World world)
    {
        world.Server();
        var board = new Board(world);
        var client = world.ClientOf(board);
        board.Machine.Paused = true;
        var noted = typeof(IvshmemFlat).GetMethod("NoteInterrupt", System.Reflection.BindingFlags.Instance |
                                                                   System.Reflection.BindingFlags.NonPublic);
        noted.Invoke(board.Device, new object[] { IntPtr.Zero, 1u, 1ul });
        var loaded = new Loaded(world, board, true);
        client.Meets(loaded.Device.Id, 2);
        client.Ring(loaded.Device.Id, 0);
        loaded.Run("both", () => loaded.Nvic.IsPending(Board.VectorLine) &&
                                 loaded.Nvic.IsPending(Board.VectorLine + 1));
    }

    [Test]
    public static void WithoutItsServerItWaitsForOne(World world)
    {
        var server = world.Server();
        var loaded = new Loaded(world, new Board(world), true, server.End);
        Check.Equal(false, loaded.Device.Linked, "Linked");
        Check.Equal(-1, loaded.Device.Id, "Id");
        Check.Equal(0u, loaded.Memory.ReadDoubleWord(0), "memory");
        Check.That(World.Logged(LogLevel.Warning, "cannot connect"), "nothing is said of it");
        world.Server();
        loaded.Run("the link is up", () => loaded.Device.Linked);
    }

    [Test]
    public static void WhoHadLeftStaysAway(World world)
    {
        world.Server();
        var board = new Board(world);
        board.Device.Disconnect();
        var loaded = new Loaded(world, board, false);
        Check.Equal(false, loaded.Device.Linked, "Linked");
        loaded.Device.Connect();
        Check.Equal(true, loaded.Device.Linked, "Linked, connected");
    }
}
