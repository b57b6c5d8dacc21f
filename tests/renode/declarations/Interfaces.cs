// SPDX-License-Identifier: BSD-3-Clause
// What the adapter uses of Renode and what is the same from 1.14 on, in declarations of our own.  In brackets the file
// of renode-infrastructure, below src/Emulator/Main, whose shape it has.
using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Core
{
    // [Peripherals/IEmulationElement.cs], which has an empty base in 1.14
    public interface IEmulationElement { }

    // [Core/IMappedSegment.cs]
    public interface IMappedSegment
    {
        IntPtr Pointer { get; }
        ulong StartingOffset { get; }
        ulong Size { get; }
        void Touch();
    }

    // [Core/IGPIO.cs]
    public interface IGPIO
    {
        bool IsSet { get; }
        void Set(bool value);
        void Toggle();
        bool IsConnected { get; }
        void Connect(IGPIOReceiver destination, int destinationNumber);
        void Disconnect();
    }

    // [Core/IGPIOReceiver.cs]
    public interface IGPIOReceiver : Antmicro.Renode.Peripherals.IPeripheral
    {
        void OnGPIO(int number, bool value);
    }

    // [Core/INumberedGPIOOutput.cs]
    public interface INumberedGPIOOutput : Antmicro.Renode.Peripherals.IPeripheral
    {
        IReadOnlyDictionary<int, IGPIO> Connections { get; }
    }
}

namespace Antmicro.Renode.Peripherals
{
    // [Peripherals/IAnalyzable.cs]
    public interface IAnalyzable { }

    // [Peripherals/IPeripheral.cs]
    public interface IPeripheral : IEmulationElement, IAnalyzable
    {
        void Reset();
    }

    // [Peripherals/IKnownSize.cs]
    public interface IKnownSize : IBusPeripheral
    {
        long Size { get; }
    }

    // [Peripherals/IMapped.cs]
    public interface IMapped : IBusPeripheral
    {
        IEnumerable<IMappedSegment> MappedSegments { get; }
    }
}

namespace Antmicro.Renode.Peripherals.CPU
{
    // [Peripherals/CPU/ICPU.cs]
    public interface ICPU : IPeripheral { }
}

namespace Antmicro.Renode.Peripherals.Bus
{
    // [Peripherals/Bus/I...Peripheral.cs]
    public interface IBusPeripheral : IPeripheral { }

    public interface IBytePeripheral : IBusPeripheral
    {
        byte ReadByte(long offset);
        void WriteByte(long offset, byte value);
    }

    public interface IWordPeripheral : IBusPeripheral
    {
        ushort ReadWord(long offset);
        void WriteWord(long offset, ushort value);
    }

    public interface IDoubleWordPeripheral : IBusPeripheral
    {
        uint ReadDoubleWord(long offset);
        void WriteDoubleWord(long offset, uint value);
    }

    public interface IQuadWordPeripheral : IBusPeripheral
    {
        ulong ReadQuadWord(long offset);
        void WriteQuadWord(long offset, ulong value);
    }
}
