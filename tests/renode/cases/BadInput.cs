// SPDX-License-Identifier: BSD-3-Clause
// What cannot be gets Renode's own error, one sentence, and leaves nothing behind.
using System;
using System.IO;
using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Peripherals.Memory;
using Antmicro.Renode.Peripherals.Miscellaneous;

public static class BadInput
{
    private static string Refused(World world, long size = World.MemorySize, string socket = "", uint vectors = 8,
                                  uint revision = 1, string library = null)
    {
        var fds = Descriptors.Count();
        var threads = Descriptors.Threads();
        var sentence = Check.Throws<ConstructionException>(() =>
            new IvshmemFlat(new Machine(), size, socket, vectors, revision, 20, library ?? World.Library));
        Check.Equal(fds, Descriptors.Count(), "descriptors");
        Check.Equal(threads, Descriptors.Threads(), "threads");
        return sentence;
    }

    [Test]
    public static void NoSuchLibrary(World world)
    {
        Check.Says(Refused(world, library: "/nowhere/libivflat.so.0"), "/nowhere/libivflat.so.0", "set library");
        Check.Says(Refused(world, library: ""), "ivflat_version", "set library");
    }

    [Test]
    public static void AnotherLibrary(World world)
    {
        Check.Says(Refused(world, library: "libc.so.6"), "libc.so.6", "no libivflat", "set library");
    }

    [Test]
    public static void ALibraryTooOld(World world)
    {
        var path = Path.Combine(World.Folder, "old.so");
        Check.Says(Refused(world, library: path), path, "0.0.9", "0.1.0", "update");
    }

    [Test]
    public static void ALibraryThatLacksSomething(World world)
    {
        var path = Path.Combine(World.Folder, "lacking.so");
        Check.Says(Refused(world, library: path), path, "ivflat_last_error", "set library");
    }

    [Test]
    public static void NoServer(World world)
    {
        Check.Says(Refused(world, socket: world.Socket("nobody")), world.Socket("nobody"), "start ivflat-server");
    }

    [Test]
    public static void ASocketThatCannotBe(World world)
    {
        Check.Says(Refused(world, socket: new String('x', 200)), "107", "socket");
        Check.Says(Refused(world, socket: World.Folder), World.Folder);
    }

    [Test]
    public static void AnotherSize(World world)
    {
        world.Server();
        Check.Says(Refused(world, size: 2 * World.MemorySize, socket: world.Socket()), "65536", "131072", "size");
    }

    [Test]
    public static void AServerThatIsSilent(World world)
    {
        var server = world.Server();
        server.Signal(Child.SIGSTOP);
        Check.Says(Refused(world, socket: world.Socket()), "5000 ms", world.Socket());
        server.Signal(Child.SIGCONT);
    }

    [Test]
    public static void NumbersThatCannotBe(World world)
    {
        Check.Says(Refused(world, size: 0), "size is 0", "4096");
        Check.Says(Refused(world, size: -4096), "size is -4096", "4096");
        Check.Says(Refused(world, size: 5000), "size is 5000", "4096");
        Check.Says(Refused(world, vectors: 0), "vectors is 0", "1 to 65536");
        Check.Says(Refused(world, vectors: 65537), "vectors is 65537", "1 to 65536");
        Check.Says(Refused(world, revision: 2), "revision is 2", "0 or 1");
        Check.Says(Refused(world, size: Int64.MaxValue / 4096 * 4096), "address space");
    }

    [Test]
    public static void AMemoryWithoutItsDevice(World world)
    {
        Check.Says(Check.Throws<ConstructionException>(() => new IvshmemFlatMemory(null)), "device", "IvshmemFlat");
    }

    // Renode itself refuses it, when it gives the memory to the CPU; what was made must then go without a trace.
    [Test]
    public static void AMisalignedAddress(World world)
    {
        world.Server();
        var watcher = world.Client();
        var fds = Descriptors.Count();
        var machine = new Machine();
        var device = new IvshmemFlat(machine, World.MemorySize, world.Socket(), library: World.Library);
        var memory = new IvshmemFlatMemory(device);
        watcher.Meets(device.Id, 2);
        machine.Bus.Register(device, Board.Registers);
        Check.Throws<RecoverableException>(() => machine.Bus.Register(memory, Board.Shared + 16));
        memory.Dispose();
        device.Dispose();
        watcher.Misses(1);
        Check.Equal(fds, Descriptors.Count(), "descriptors");
    }
}
