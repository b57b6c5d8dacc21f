// SPDX-License-Identifier: BSD-3-Clause
// What Renode 1.16 has otherwise than its predecessors.
using System;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Core
{
    // [Peripherals/IMachine.cs]
    public interface IMachine : IEmulationElement
    {
        void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, TimeStamp eventTime,
                                      Action postAction = null);
        void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, bool timeDomainInternalEvent);
    }

    // [Core/Machine.cs]
    public partial class Machine : IMachine { }
}

namespace Antmicro.Renode.Peripherals
{
    // [Peripherals/IMemory.cs]
    public interface IMemory : IPeripheral, IKnownSize, IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral,
                               IMultibyteWritePeripheral, IQuadWordPeripheral { }
}

namespace Antmicro.Renode.Peripherals.Bus
{
    // [Peripherals/Bus/IMultibyteWritePeripheral.cs]
    public interface IMultibyteWritePeripheral
    {
        byte[] ReadBytes(long offset, int count, IPeripheral context = null);
        void WriteBytes(long offset, byte[] array, int startingIndex, int count, IPeripheral context = null);
    }
}
