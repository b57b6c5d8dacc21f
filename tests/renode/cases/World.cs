// SPDX-License-Identifier: BSD-3-Clause
// What a test starts, and what ends with it: servers, peers, boards.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.IRQControllers;
using Antmicro.Renode.Peripherals.Memory;
using Antmicro.Renode.Peripherals.Miscellaneous;
using Antmicro.Renode.Utilities;

public class World : IDisposable
{
    public static string Folder;
    public static string Library;
    public static string ServerProgram;
    public static string ClientProgram;

    public const long MemorySize = 0x10000;

    public World() { Logger.Lines.Clear(); }

    public string Socket(string name = "s") { return Path.Combine(Folder, name); }

    // It listens when this returns.
    public Child Server(int vectors = 2, string name = "s", long size = MemorySize)
    {
        var arguments = String.Format("-F -S {0} -n {1} -l {2}", Socket(name), vectors, size);
        var server = Keep(new Child(ServerProgram, arguments));
        server.Until("ready on");
        return server;
    }

    public Client Client(string name = "s") { return Keep(new Client(Socket(name))); }

    // A client and a board that know each other.
    public Client ClientOf(Board board, int vectors = 2, string name = "s")
    {
        var client = Client(name);
        client.Meets(board.Device.Id, vectors);
        board.Meets(client.Id, vectors);
        return client;
    }

    public T Keep<T>(T thing) where T : IDisposable
    {
        things.Push(thing);
        return thing;
    }

    // Waits for what is not the machine's, as a line in the log.
    public static bool Logged(LogLevel level, string words)
    {
        lock (Logger.Lines) {
            return Logger.Lines.Any(line => line.Key == level && line.Value.Contains(words));
        }
    }

    // All of it, whatever becomes of one.
    public void Dispose()
    {
        Exception first = null;
        foreach (var thing in things) {
            try {
                thing.Dispose();
            } catch (Exception e) {
                first = first ?? e;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private readonly Stack<IDisposable> things = new Stack<IDisposable>();
}

// A machine with an NVIC and the device.
public class Board : IDisposable
{
    public const ulong Registers = 0x400ff000;
    public const ulong Shared = 0x40100000;
    public const int Line = 40;
    public const int VectorLine = 100;

    public Board(World world, string name = "s", uint revision = 1, uint vectors = 8, uint reconnect = 20,
                 Machine machine = null, ulong apart = 0)
    {
        Machine = machine ?? new Machine();
        Nvic = new Nvic(Machine);
        this.apart = apart;
        var socket = name == "" ? "" : world.Socket(name);
        Device = new IvshmemFlat(Machine, World.MemorySize, socket, vectors, revision, reconnect, World.Library);
        Memory = new IvshmemFlatMemory(Device);
        Device.IRQ.Connect(Nvic, Line);
        foreach (var line in Device.Connections) {
            line.Value.Connect(Nvic, VectorLine + line.Key);
        }
        Machine.Bus.Register(Device, Registers + apart);
        Machine.Bus.Register(Memory, Shared + apart);
        world.Keep(this);
    }

    public uint Read(uint register) { return Machine.Bus.ReadDoubleWord(Registers + apart + register); }

    public void Write(uint register, uint value) { Machine.Bus.WriteDoubleWord(Registers + apart + register, value); }

    public uint Load(ulong offset) { return Machine.Bus.ReadDoubleWord(Shared + apart + offset); }

    public void Store(ulong offset, uint value) { Machine.Bus.WriteDoubleWord(Shared + apart + offset, value); }

    public void Ring(int peer, int vector) { Write(Doorbell, (uint)peer << 16 | (uint)vector); }

    public void Run(string what, Func<bool> done) { Machine.RunUntil(what, done, Machine); }

    // The library's own counters and tables, which the adapter has no use for.
    public long Counter(uint which) { return (long)Native<CounterCall>("ivflat_device_counter")(Handle, which); }

    // Until the device has heard of all vectors of that peer, which may be itself: a ring before is at nobody.
    public void Meets(int id, int vectors)
    {
        var ask = Native<PeerCall>("ivflat_device_peer_vectors");
        Run("peer " + id + " is there", () => ask(Handle, (uint)id) == vectors);
    }

    public void Meets(Board other, int vectors) { Meets(other.Device.Id, vectors); }

    public void Dispose()
    {
        Machine.Dispose();
        if (Nvic.Foreign != 0) {
            throw new Failure("a line was moved by a thread that is not the machine's");
        }
    }

    public const uint IntrMask = 0x0;
    public const uint IntrStatus = 0x4;
    public const uint IvPosition = 0x8;
    public const uint Doorbell = 0xc;

    public const uint RingsSent = 0;
    public const uint RingsReceived = 2;

    public readonly Machine Machine;
    public readonly Nvic Nvic;
    public readonly IvshmemFlat Device;
    public readonly IvshmemFlatMemory Memory;

    private IntPtr Handle
    {
        get
        {
            var field = typeof(IvshmemFlat).GetField("device", BindingFlags.NonPublic | BindingFlags.Instance);
            return (IntPtr)field.GetValue(Device);
        }
    }

    private static T Native<T>(string name) where T : class
    {
        var address = SharedLibraries.GetSymbolAddress(SharedLibraries.LoadLibrary(World.Library), name);
        return (T)(object)Marshal.GetDelegateForFunctionPointer(address, typeof(T));
    }

    private readonly ulong apart;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate ulong CounterCall(IntPtr device, uint which);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate uint PeerCall(IntPtr device, uint id);
}

// Garbage collections without a pause, while it lives.
public class GcStorm : IDisposable
{
    public GcStorm()
    {
        thread = new Thread(Collect) { IsBackground = true };
        thread.Start();
        began.WaitOne();
    }

    public void Dispose()
    {
        ended = true;
        thread.Join();
        began.Dispose();
    }

    private void Collect()
    {
        while (!ended) {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            began.Set();
        }
    }

    private volatile bool ended;

    private readonly ManualResetEvent began = new ManualResetEvent(false);
    private readonly Thread thread;
}
