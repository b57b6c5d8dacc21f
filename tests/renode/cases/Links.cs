// SPDX-License-Identifier: BSD-3-Clause
// Servers that go, come back, or are others; and the monitor's commands.
using System;
using System.Linq;
using System.Text;
using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;

public static class Links
{
    [Test]
    public static void AServerThatIsGoneAndBack(World world)
    {
        var server = world.Server();
        var board = new Board(world);
        world.ClientOf(board);
        var pointer = board.Memory.MappedSegments.Single().Pointer;
        board.Store(0, 1);
        using (new GcStorm()) {
            server.Signal(Child.SIGKILL);
            board.Run("the link is down", () => !board.Device.Linked);
            KnownPeersStay(board);
            world.Server();
            board.Run("the link is up", () => board.Device.Linked);
        }
        Check.Equal(0u, board.Load(0), "the new server's memory");
        Check.Equal(pointer, board.Memory.MappedSegments.Single().Pointer, "its address");
        world.ClientOf(board).Ring(board.Device.Id, 1);
        board.Run("a ring of the new server's", () => board.Nvic.IsPending(Board.VectorLine + 1));
    }

    private static void KnownPeersStay(Board board)
    {
        Check.Equal(0u, board.Read(Board.IvPosition), "IVPOSITION without a server");
        Check.Equal(1u, board.Load(0), "memory without a server");
        board.Ring(board.Device.Id, 0);
        board.Run("a ring without a server", () => board.Nvic.IsPending(Board.Line));
        Check.That(World.Logged(LogLevel.Warning, "server"), "nothing is said of the loss");
    }

    [Test]
    public static void ThirtyServersOneAfterTheOther(World world)
    {
        var board = new Board(world, "");
        var fds = Descriptors.Count();
        for (var i = 0; i < 30; i++) {
            using (var server = world.Server()) {
                if (i == 0) {
                    board.Device.Connect(world.Socket());
                }
                board.Run("the link is up", () => board.Device.Linked);
                board.Meets(board, 2);
                board.Nvic.Reset();
                board.Ring(board.Device.Id, 0);
                board.Run("a ring", () => board.Nvic.IsPending(Board.Line));
                server.End();
            }
            board.Run("the link is down", () => !board.Device.Linked);
        }
        board.Device.Disconnect();
        Check.Equal(fds, Descriptors.Count(), "descriptors");
    }

    [Test]
    public static void ConnectGoesToAnotherServer(World world)
    {
        world.Server(name: "one");
        world.Server(name: "two");
        var watcher = world.Client("one");
        var board = new Board(world, "one");
        watcher.Meets(board.Device.Id, 2);
        Check.Equal(1, board.Device.Id, "Id at the first server");
        board.Device.Connect(world.Socket("two"));
        Check.That(World.Logged(LogLevel.Info, "joined " + world.Socket("two") + " as peer 0"), "nothing is said");
        watcher.Misses(1);
        Check.Equal(0, board.Device.Id, "Id at the second");
        board.Device.Connect();
        Check.Equal(1, board.Device.Id, "Id when it came again to where it was");
        Check.Equal(0, board.Nvic.Rises, "rises");
    }

    [Test]
    public static void DisconnectIsForGood(World world)
    {
        world.Server();
        var watcher = world.Client();
        var board = new Board(world);
        watcher.Meets(board.Device.Id, 2);
        board.Device.Disconnect();
        watcher.Misses(board.Device.Id);
        Check.Equal(false, board.Device.Linked, "Linked");
        board.Device.Disconnect();
        board.Device.Connect(world.Socket());
        Check.Equal(true, board.Device.Linked, "Linked again");
    }

    // The monitor's thread is not the machine's: what a greeting brings moves a line at a synchronisation point alone.
    [Test]
    public static void ConnectTwiceWhilePaused(World world)
    {
        world.Server();
        var board = new Board(world, "");
        board.Machine.Paused = true;
        for (var i = 0; i < 3; i++) {
            board.Device.Connect(world.Socket());
            Check.Equal(i, board.Device.Id, "Id");
        }
        board.Machine.Paused = false;
        board.Meets(board, 2);
        board.Ring(board.Device.Id, 0);
        board.Run("a ring", () => board.Nvic.IsPending(Board.Line));
    }

    [Test]
    public static void ConnectToNobodyHurtsNobody(World world)
    {
        world.Server();
        var board = new Board(world);
        var sentence = Check.Throws<RecoverableException>(() => board.Device.Connect(world.Socket("nobody")));
        Check.Says(sentence, world.Socket("nobody"), "ivflat-server");
        Check.Equal(false, board.Device.Linked, "Linked");
        Check.Equal(0u, board.Read(Board.IvPosition), "IVPOSITION");
        Check.Equal(false, World.Logged(LogLevel.Warning, "trying again"), "it says that it will try again");
        board.Device.Connect(world.Socket());
        Check.Equal(true, board.Device.Linked, "Linked, at a server that is there");
    }

    [Test]
    public static void WhoJoinedIsSaid(World world)
    {
        world.Server();
        new Board(world);
        Check.That(World.Logged(LogLevel.Info, "joined " + world.Socket() + " as peer 0"), "nothing is said");
    }

    [Test]
    public static void WithoutReconnectingItStaysDown(World world)
    {
        var server = world.Server();
        var board = new Board(world, reconnect: 0);
        server.End();
        board.Run("the link is down", () => !board.Device.Linked);
        Check.That(World.Logged(LogLevel.Error, "server"), "nothing is said of the loss");
        Check.Equal(0, board.Machine.Waiting, "events that wait");
    }
}
