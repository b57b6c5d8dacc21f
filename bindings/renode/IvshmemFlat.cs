// SPDX-License-Identifier: BSD-3-Clause
//
// ivshmem-flat in Renode 1.14 and newer: a memory shared with other machines, and doorbells between them.  README.md
// shows how it is used.  `include @IvshmemFlat.cs` brings two peripherals:
//
//     Miscellaneous.IvshmemFlat    registers, interrupt lines, the link to the server
//     Memory.IvshmemFlatMemory     the shared memory, without a copy
//
// C# 5, no unsafe code and no #if: every Renode compiles it as it starts, with mcs or with Roslyn.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Antmicro.Migrant;
using Antmicro.Migrant.Hooks;
using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Time;
using Antmicro.Renode.Utilities;
using Native = System.Runtime.InteropServices.UnmanagedFunctionPointerAttribute;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // Three threads meet here: the guest's, the one of the machine's synchronisation points, and our own, which does
    // nothing but wait.  `sync` is round every call of the library but Wait and Wake.  The library's hooks take notes
    // (pulses, level, said); what follows from them is done when its call is over and the lock is free, because a line
    // may lead to a device that has a lock of its own and comes back.
    public class IvshmemFlat : IDoubleWordPeripheral, IKnownSize, INumberedGPIOOutput, IDisposable
    {
        // size        of the shared memory, in bytes: the server's
        // socket      of the server; "": none yet, see Connect
        // vectors     most that are taken of any peer, and lines of ours that can be connected by number
        // revision    1: an interrupt is a pulse; 0: IRQ is high until the guest reads INTRSTATUS
        // reconnect   milliseconds after which a lost server is tried again; 0: never
        // library     a name that the system's loader finds, or a path
        public IvshmemFlat(Machine machine, long size, string socket = "", uint vectors = 64, uint revision = 1,
                           uint reconnect = 1000, string library = "libivflat.so.0")
        {
            this.machine = machine;
            this.socket = socket ?? "";
            this.library = library ?? "";
            this.reconnect = reconnect;
            this.revision = revision;
            this.vectors = vectors;
            memorySize = size;
            CheckParameters();
            IRQ = new GPIO();
            Connections = Enumerable.Range(0, (int)vectors).ToDictionary(i => i, i => (IGPIO)new GPIO());
            try {
                Open();
                if (this.socket != "")
                    Join();
                StartWaiting();
            } catch (RecoverableException e) {
                Dispose();
                throw new ConstructionException(e.Message);
            }
        }

        // For the monitor: leaves the server it has, and joins this one, or again the last.
        public void Connect(string socket = "")
        {
            lock (sync) {
                if (closing)
                    throw new RecoverableException("this ivshmem-flat was removed from its machine: create another");
                native.Disconnect(device);
                this.socket = String.IsNullOrEmpty(socket) ? this.socket : socket;
                Join();
            }
            Tell();
            // What came with the greeting is for a synchronisation point, and not for the monitor's thread.
            native.Wake(device);
        }

        // For the monitor: leaves the server.
        public void Disconnect()
        {
            lock (sync) { native.Disconnect(device); joined = false; }
            Tell();
        }

        public uint ReadDoubleWord(long offset)
        {
            uint value;
            lock (sync) { value = native.Read(device, (ulong)offset, 4); }
            FollowUp();
            return value;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            lock (sync) { native.Write(device, (ulong)offset, 4, value); }
            FollowUp();
        }

        // Registers and line; link, id, memory and rings that wait stay.
        public void Reset()
        {
            lock (sync) { native.Reset(device); }
            FollowUp();
        }

        public void Dispose()
        {
            lock (sync) {
                if (closing)
                    return;
                closing = true;
                pulses.Clear();
                Monitor.PulseAll(sync);
            }
            if (waiter != null) {
                native.Wake(device);
                waiter.Join();
            }
            if (device != IntPtr.Zero) {
                Disconnect();
                Release();
            }
        }

        public long Size { get { return 0x10; } }
        // For all vectors together.
        public GPIO IRQ { get; private set; }
        // A line for each vector, revision 1 alone.
        public IReadOnlyDictionary<int, IGPIO> Connections { get; private set; }
        // Our id as the others see it; -1 before the first server.
        public int Id { get { lock (sync) { return native.Id(device); } } }

        public bool Linked { get { lock (sync) { return native.Link(device) == IvflatLibrary.LinkReady; } } }

        // The memory lives until both peripherals are gone, whichever goes first.
        internal void Hold()
        {
            lock (sync) { Open(); holders++; }
        }

        internal void Release()
        {
            lock (sync) {
                if (--holders == 0) {
                    native.Free(device);
                    GC.KeepAlive(kept);
                    device = IntPtr.Zero;
                }
            }
        }

        // The same for life.  After a snapshot was loaded, whoever comes first opens.
        internal IntPtr MemoryAddress { get { lock (sync) { Open(); return native.Memory(device); } } }

        internal long MemorySize { get { return memorySize; } }

        private void CheckParameters()
        {
            Must(memorySize > 0 && memorySize % PageSize == 0,
                 "size is {0}: a multiple of {1} is right, as the server has it", memorySize, PageSize);
            Must(vectors > 0 && vectors <= MaxVectors, "vectors is {0}: 1 to {1} is right", vectors, MaxVectors);
            Must(revision <= 1, "revision is {0}: 0 or 1 is right", revision);
        }

        private static void Must(bool right, string text, params object[] numbers)
        {
            if (!right)
                throw new ConstructionException(String.Format(text, numbers));
        }

        private void Open()
        {
            if (device != IntPtr.Zero || closing)
                return;
            native = IvflatLibrary.Load(library);
            said = new Queue<Action>();
            var config = new IvflatConfig {
                StructSize = (uint)Marshal.SizeOf(typeof(IvflatConfig)), MaxVectors = vectors,
                MemorySize = (ulong)memorySize, Revision0 = 1 - revision, ReconnectMs = reconnect
            };
            var hooks = NewHooks();
            if (native.New(out device, ref config, ref hooks) != 0)
                throw new RecoverableException(native.LastErrorText);
            holders = 1;
        }

        // The library knows addresses alone, so the delegates are kept from the garbage collector here.
        private IvflatHooks NewHooks()
        {
            kept = new List<Delegate>();
            return new IvflatHooks {
                StructSize = (uint)Marshal.SizeOf(typeof(IvflatHooks)),
                Interrupt = Address((OnInterrupt)NoteInterrupt), Line = Address((OnLine)NoteLevel),
                LinkChanged = Address((OnLinkChanged)NoteLink), GuestError = Address((OnGuestError)NoteGuestError),
                Log = Address((OnLog)NoteLog)
            };
        }

        private IntPtr Address(Delegate hook)
        {
            kept.Add(hook);
            return Marshal.GetFunctionPointerForDelegate(hook);
        }

        // In the caller's lock.  Guests read their id as soon as they run, so the greeting is waited for, and has a
        // time limit of its own.  That there is no server is an error here, though later it would be tried again.
        private void Join()
        {
            var error = native.Connect(device, socket);
            if (error == 0 && native.Link(device) == IvflatLibrary.LinkDown)
                error = IvflatLibrary.ErrorSystem;
            error = error != 0 ? error : Greet();
            if (error != 0) {
                var text = native.LastErrorText;
                native.Disconnect(device);
                joined = false;
                said.Clear();
                throw new RecoverableException(text + Advice(error));
            }
            joined = true;
        }

        // A wake that nobody dispatched yet, as in a machine that is paused, ends one call of the library's.
        private int Greet()
        {
            int error;
            do {
                error = native.Greet(device, -1);
            } while (error == IvflatLibrary.ErrorTimeout && native.Link(device) == IvflatLibrary.LinkGreeting);
            return error;
        }

        private string Advice(int error)
        {
            return error == IvflatLibrary.ErrorSystem
                ? String.Format("; start ivflat-server there, or change socket (it is \"{0}\")", socket)
                : error == IvflatLibrary.ErrorMemory
                    ? String.Format("; size is {0} in the platform's description", memorySize)
                    : String.Format(" (socket is \"{0}\")", socket);
        }

        private void StartWaiting()
        {
            Tell();
            waiter = new Thread(WaitUntilClosing) { IsBackground = true, Name = "ivshmem-flat" };
            waiter.Start();
        }

        // An exception that nobody catches on a thread ends Renode.
        private void WaitUntilClosing()
        {
            try {
                while (Wait()) {
                    // Not from the machine's time, so for the next synchronisation point.
                    var now = new TimeStamp(default(TimeInterval), EmulationManager.ExternalWorld);
                    machine.HandleTimeDomainEvent<bool>(Dispatch, true, now);
                    AwaitDispatch();
                }
            } catch (ThreadAbortException) {
            } catch (Exception e) {
                this.Log(LogLevel.Error, "no doorbell is heard any more: " + e.Message);
            }
        }

        // Comes back now and then: a runtime that ends first ends its threads, and can do that in its own code alone.
        private bool Wait()
        {
            var ready = 0;
            lock (sync) { dispatched = false; }
            while (ready == 0 && !closing)
                ready = native.Wait(device, ComeBackMs);
            if (ready < 0)
                throw new RecoverableException(native.LastErrorText);
            return !closing;
        }

        // Not to spin while the machine is paused: what is due stays due.
        private void AwaitDispatch()
        {
            lock (sync) {
                while (!dispatched && !closing)
                    Monitor.Wait(sync);
            }
        }

        // At a synchronisation point; it may come too late, and a wake that is to end our thread stays.
        private void Dispatch(bool ignored)
        {
            lock (sync) {
                if (!closing)
                    native.Dispatch(device);
                dispatched = true;
                Monitor.PulseAll(sync);
            }
            FollowUp();
        }

        private void NoteInterrupt(IntPtr user, uint vector, ulong count) { pulses.Enqueue((int)vector); }
        private void NoteLevel(IntPtr user, uint level) { wanted = level != 0; }
        private void NoteLink(IntPtr user, uint link, int error)
        {
            if (link == IvflatLibrary.LinkReady)
                Note(LogLevel.Info, String.Format("joined {0} as peer {1}", socket, native.Id(device)));
        }

        // A guest can cause any number of these.
        private void NoteGuestError(IntPtr user, IntPtr text) { Note(LogLevel.Debug, Marshal.PtrToStringAnsi(text)); }
        private void NoteLog(IntPtr user, uint level, IntPtr text)
        {
            var importance = level == 1 ? LogLevel.Error : level == 2 ? LogLevel.Warning : LogLevel.Info;
            Note(importance, Marshal.PtrToStringAnsi(text));
        }

        private void Note(LogLevel level, string text) { said.Enqueue(() => this.Log(level, text)); }

        // In the machine's time.
        private void FollowUp()
        {
            Tell();
            MoveLines();
        }

        private void Tell()
        {
            for (var next = NextSaid(); next != null; next = NextSaid())
                next();
        }

        private Action NextSaid()
        {
            lock (sync) { return said.Count == 0 ? null : said.Dequeue(); }
        }

        // One thread at a time, so that no level overtakes another; who comes meanwhile leaves it to that one.
        private void MoveLines()
        {
            lock (sync) {
                if (moving)
                    return;
                moving = true;
            }
            try {
                for (var move = NextMove(); move != null; move = NextMove())
                    move();
            } catch {
                moving = false;
                throw;
            }
        }

        // Null: no more, and `moving` is over in the same breath, or a note of just now would be nobody's.
        private Action NextMove()
        {
            lock (sync) {
                if (pulses.Count != 0) {
                    var vector = pulses.Dequeue();
                    return () => Pulse(vector);
                }
                if (shown != wanted) {
                    var level = shown = wanted;
                    return () => IRQ.Set(level);
                }
                moving = false;
                return null;
            }
        }

        // Revision 1 has no register that says that it was rung: the interrupt controller is what remembers.
        private void Pulse(int vector)
        {
            IRQ.Set(true);
            IRQ.Set(false);
            Connections[vector].Set(true);
            Connections[vector].Set(false);
        }

        [PreSerialization]
        private void BeforeSave()
        {
            lock (sync) {
                native.GetState(device, out savedMask, out savedStatus);
                savedId = native.Id(device);
            }
        }

        [LatePostDeserialization]
        private void AfterLoad()
        {
            lock (sync) {
                Open();
                native.SetState(device, savedMask, savedStatus);
                if (joined)
                    JoinAgain();
            }
            StartWaiting();
        }

        // A snapshot is worth having without its server, too.
        private void JoinAgain()
        {
            try {
                Join();
                if (native.Id(device) != savedId) {
                    Note(LogLevel.Warning, String.Format("the guest was saved as peer {0} and is peer {1} now",
                                                         savedId, native.Id(device)));
                }
            } catch (RecoverableException e) {
                Note(LogLevel.Warning, e.Message);
                joined = native.Connect(device, socket) == 0;
            }
        }

        private string socket;
        private bool joined, wanted, shown;
        private uint savedMask, savedStatus;
        private int savedId;

        [Transient] private IvflatLibrary native;
        [Transient] private IntPtr device;
        [Transient] private List<Delegate> kept;
        [Transient] private Queue<Action> said;
        [Transient] private Thread waiter;
        [Transient] private int holders;
        [Transient] private volatile bool closing;
        [Transient] private bool dispatched, moving;

        private readonly Machine machine;
        private readonly string library;
        private readonly long memorySize;
        private readonly uint reconnect, revision, vectors;
        private readonly Queue<int> pulses = new Queue<int>();
        private readonly object sync = new object();

        private const int MaxVectors = 65536, PageSize = 4096, ComeBackMs = 500;
    }

    // The part of libivflat that is used here.  The structs are those of libivflat/ivflat.h, field by field.
    internal sealed class IvflatLibrary
    {
        internal static IvflatLibrary Load(string path)
        {
            lock (Loaded) {
                IvflatLibrary library;
                if (!Loaded.TryGetValue(path, out library))
                    library = Loaded[path] = new IvflatLibrary(path);
                return library;
            }
        }

        internal string LastErrorText { get { return Marshal.PtrToStringAnsi(LastError()); } }

        internal readonly DeviceNew New;
        internal readonly DeviceCall Free, Reset, Disconnect, Wake;
        internal readonly DeviceAnswer Dispatch, Id, Link;
        internal readonly DeviceTimed Greet, Wait;
        internal readonly DeviceConnect Connect;
        internal readonly DeviceMemory Memory;
        internal readonly DeviceRead Read;
        internal readonly DeviceWrite Write;
        internal readonly DeviceGetState GetState;
        internal readonly DeviceSetState SetState;

        internal const int LinkDown = 0, LinkGreeting = 1, LinkReady = 2;
        internal const int ErrorSystem = -3, ErrorMemory = -6, ErrorTimeout = -8;

        private IvflatLibrary(string path)
        {
            this.path = path;
            Open();
            CheckVersion();
            LastError = (LastErrorCall)Function("ivflat_last_error", typeof(LastErrorCall));
            New = (DeviceNew)Function("ivflat_device_new", typeof(DeviceNew));
            Free = (DeviceCall)Function("ivflat_device_free", typeof(DeviceCall));
            Reset = (DeviceCall)Function("ivflat_device_reset", typeof(DeviceCall));
            Disconnect = (DeviceCall)Function("ivflat_device_disconnect", typeof(DeviceCall));
            Wake = (DeviceCall)Function("ivflat_device_wake", typeof(DeviceCall));
            Dispatch = (DeviceAnswer)Function("ivflat_device_dispatch", typeof(DeviceAnswer));
            Id = (DeviceAnswer)Function("ivflat_device_id", typeof(DeviceAnswer));
            Greet = (DeviceTimed)Function("ivflat_device_greet", typeof(DeviceTimed));
            Wait = (DeviceTimed)Function("ivflat_device_wait", typeof(DeviceTimed));
            Connect = (DeviceConnect)Function("ivflat_device_connect", typeof(DeviceConnect));
            Link = (DeviceAnswer)Function("ivflat_device_link", typeof(DeviceAnswer));
            Memory = (DeviceMemory)Function("ivflat_device_memory", typeof(DeviceMemory));
            Read = (DeviceRead)Function("ivflat_device_read", typeof(DeviceRead));
            Write = (DeviceWrite)Function("ivflat_device_write", typeof(DeviceWrite));
            GetState = (DeviceGetState)Function("ivflat_device_get_state", typeof(DeviceGetState));
            SetState = (DeviceSetState)Function("ivflat_device_set_state", typeof(DeviceSetState));
        }

        private void Open()
        {
            try {
                handle = SharedLibraries.LoadLibrary(path);
            } catch (InvalidOperationException e) {
                throw new RecoverableException(String.Format(
                    "{0}; install libivflat, or set library to the path of libivflat.so.0", e.Message));
            }
        }

        private void CheckVersion()
        {
            var version = ((VersionCall)Function("ivflat_version", typeof(VersionCall)))();
            if (version < Needed) {
                throw new RecoverableException(String.Format(
                    "{0} is libivflat {1}, and {2} or newer is needed: update it, or set library to a newer one",
                    path, Text(version), Text(Needed)));
            }
        }

        private Delegate Function(string name, Type type)
        {
            try {
                return Marshal.GetDelegateForFunctionPointer(SharedLibraries.GetSymbolAddress(handle, name), type);
            } catch (InvalidOperationException) {
                throw new RecoverableException(String.Format(
                    "{0} has no {1}: it is no libivflat, or older than {2}; set library to the path of libivflat.so.0",
                    path, name, Text(Needed)));
            }
        }

        private static string Text(uint version)
        {
            return String.Format("{0}.{1}.{2}", version >> 16, version >> 8 & 0xff, version & 0xff);
        }

        private IntPtr handle;
        private readonly string path;
        private readonly LastErrorCall LastError;

        // Never closed: a thread may be on its way out of it.
        private static readonly Dictionary<string, IvflatLibrary> Loaded = new Dictionary<string, IvflatLibrary>();

        private const uint Needed = 0x000100;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IvflatConfig
    {
        public uint StructSize, MaxVectors;
        public ulong MemorySize;
        public uint NoInterrupts, Revision0, NoMapping, RequireSealed, GreetingTimeoutMs, ReconnectMs, TrustedPeers;
        public uint Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IvflatHooks
    {
        public uint StructSize, Reserved;
        public IntPtr User, Interrupt, Line, MemoryAttached, LinkChanged, PeerChanged, VectorAdded, VectorRemoved;
        public IntPtr DoorbellAdded, DoorbellRemoved, GuestError, Log, Trace;
    }

    [Native(CallingConvention.Cdecl)] internal delegate uint VersionCall();
    [Native(CallingConvention.Cdecl)] internal delegate IntPtr LastErrorCall();
    [Native(CallingConvention.Cdecl)]
    internal delegate int DeviceNew(out IntPtr device, ref IvflatConfig config, ref IvflatHooks hooks);
    [Native(CallingConvention.Cdecl)] internal delegate void DeviceCall(IntPtr device);
    [Native(CallingConvention.Cdecl)] internal delegate int DeviceAnswer(IntPtr device);
    [Native(CallingConvention.Cdecl)] internal delegate int DeviceTimed(IntPtr device, int milliseconds);
    [Native(CallingConvention.Cdecl)]
    internal delegate int DeviceConnect(IntPtr device, [MarshalAs(UnmanagedType.LPStr)] string path);
    [Native(CallingConvention.Cdecl)] internal delegate IntPtr DeviceMemory(IntPtr device);
    [Native(CallingConvention.Cdecl)] internal delegate uint DeviceRead(IntPtr device, ulong offset, uint width);
    [Native(CallingConvention.Cdecl)]
    internal delegate void DeviceWrite(IntPtr device, ulong offset, uint width, ulong value);
    [Native(CallingConvention.Cdecl)]
    internal delegate void DeviceGetState(IntPtr device, out uint mask, out uint status);
    [Native(CallingConvention.Cdecl)] internal delegate void DeviceSetState(IntPtr device, uint mask, uint status);
    [Native(CallingConvention.Cdecl)] internal delegate void OnInterrupt(IntPtr user, uint vector, ulong count);
    [Native(CallingConvention.Cdecl)] internal delegate void OnLine(IntPtr user, uint level);
    [Native(CallingConvention.Cdecl)] internal delegate void OnLinkChanged(IntPtr user, uint link, int error);
    [Native(CallingConvention.Cdecl)] internal delegate void OnGuestError(IntPtr user, IntPtr text);
    [Native(CallingConvention.Cdecl)] internal delegate void OnLog(IntPtr user, uint level, IntPtr text);
}

namespace Antmicro.Renode.Peripherals.Memory
{
    // The shared memory: the guest works on the very pages of the server.  Renode asks for their address once, at the
    // guest's first access, and keeps it, so it is the same for life, whatever the link does.  The monitor, GDB and DMA
    // come by the accesses below.
    public class IvshmemFlatMemory : IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral, IQuadWordPeripheral,
                                     IMultibyteWritePeripheral, IMemory, IKnownSize, IMapped, IDisposable
    {
        // device      the IvshmemFlat whose memory it is
        public IvshmemFlatMemory(Miscellaneous.IvshmemFlat device)
        {
            if (device == null)
                throw new ConstructionException("device is missing: the name of the IvshmemFlat is right");
            this.device = device;
            segments = new IMappedSegment[] { new Whole(device) };
            TakeHold();
        }

        public IEnumerable<IMappedSegment> MappedSegments { get { return segments; } }
        public long Size { get { return device.MemorySize; } }

        // The others' memory too.
        public void Reset() { }

        public void Dispose()
        {
            if (held) {
                held = false;
                device.Release();
            }
        }

        public byte ReadByte(long offset) { return Has(offset, 1) ? Marshal.ReadByte(At(offset)) : (byte)0; }
        public ushort ReadWord(long offset) { return (ushort)(Has(offset, 2) ? Marshal.ReadInt16(At(offset)) : 0); }
        public uint ReadDoubleWord(long offset) { return Has(offset, 4) ? (uint)Marshal.ReadInt32(At(offset)) : 0; }
        public ulong ReadQuadWord(long offset) { return Has(offset, 8) ? (ulong)Marshal.ReadInt64(At(offset)) : 0; }

        public void WriteByte(long offset, byte value) { if (Has(offset, 1)) Marshal.WriteByte(At(offset), value); }
        public void WriteWord(long offset, ushort value)
        {
            if (Has(offset, 2))
                Marshal.WriteInt16(At(offset), (short)value);
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if (Has(offset, 4))
                Marshal.WriteInt32(At(offset), (int)value);
        }

        public void WriteQuadWord(long offset, ulong value)
        {
            if (Has(offset, 8))
                Marshal.WriteInt64(At(offset), (long)value);
        }

        // Of IMultibyteWritePeripheral in Renode 1.14, then 1.15, then 1.16 and newer.
        public byte[] ReadBytes(long offset, int count)
        {
            var bytes = new byte[count];
            if (Has(offset, count))
                Marshal.Copy(At(offset), bytes, 0, count);
            return bytes;
        }

        public byte[] ReadBytes(long offset, int count, ICPU context) { return ReadBytes(offset, count); }

        public byte[] ReadBytes(long offset, int count, IPeripheral context) { return ReadBytes(offset, count); }

        public void WriteBytes(long offset, byte[] array, int startingIndex, int count)
        {
            if (Has(offset, count))
                Marshal.Copy(array, startingIndex, At(offset), count);
        }

        public void WriteBytes(long offset, byte[] array, int startingIndex, int count, ICPU context)
        {
            WriteBytes(offset, array, startingIndex, count);
        }

        public void WriteBytes(long offset, byte[] array, int startingIndex, int count, IPeripheral context)
        {
            WriteBytes(offset, array, startingIndex, count);
        }

        private bool Has(long offset, int width)
        {
            if (held && offset >= 0 && offset <= Size - width)
                return true;
            this.Log(LogLevel.Warning, String.Format("{0} bytes at 0x{1:X} are not inside the shared memory (of {2})",
                                                     width, offset, held ? Size : 0));
            return false;
        }

        private IntPtr At(long offset) { return new IntPtr(device.MemoryAddress.ToInt64() + offset); }

        [LatePostDeserialization]
        private void TakeHold()
        {
            device.Hold();
            held = true;
        }

        [Transient] private bool held;

        private readonly Miscellaneous.IvshmemFlat device;
        private readonly IMappedSegment[] segments;

        private sealed class Whole : IMappedSegment
        {
            public Whole(Miscellaneous.IvshmemFlat device) { this.device = device; }

            public void Touch() { }

            public IntPtr Pointer { get { return device.MemoryAddress; } }
            public ulong StartingOffset { get { return 0; } }
            public ulong Size { get { return (ulong)device.MemorySize; } }

            private readonly Miscellaneous.IvshmemFlat device;
        }
    }
}
